"""Maxima and waits inside the node, where no other program has a say (those of the wire: `protocol/limits.py`)."""

WRITES_WAITING = 20_000
"""Writes waiting for the storage thread; more are refused until it has caught up."""
WRITES_PER_COMMIT = 200
"""Writes that share one commit: a crash costs nobody more than one such batch's waiting time."""
FRAMES_WAITING = 8
"""Frames of a link not handled yet, before its socket is read no further."""
SILENCE_FORGOTTEN_SECONDS = 1.0
"""What is read this soon after a link was silent for long may have come at any time of that silence."""
LINK_BACKLOG_BYTES = 8 * 1024 * 1024
"""Bytes waiting to be sent on a link that end it: senders pause far below, so only a neighbour's questions get here."""
UNKNOWN_LINES_KEPT = 1_000
"""Lines of feeds that we do not hold, kept for one neighbour and conversation: what they have we need not send."""
LOCATORS_FOUND = 32
"""Locators of the local network that are kept and shown; a class has one or two."""
LOCATOR_ANSWER_SECONDS = 3
"""How long a locator that was heard of may take to say where it is."""
DIAL_SECONDS = 4.0
"""One address is tried for this long before the next."""
NEIGHBOURS_PER_GROUP = 6
"""Links that a member keeps for one group: what is written there goes out so often, however many are in it."""
NEIGHBOURS_KEPT_SECONDS = 300.0
"""After so long one of the neighbours gives way to somebody else, so that no corner of a group stays closed."""
NEIGHBOURS_TRIED_SECONDS = 30.0
"""Who was chosen and has no link by then gives way, too: not everybody who is there can be reached."""
NEWCOMER_SECONDS = 120.0
"""To a new member what is about membership goes first; who does not take it within this time is sent all the same."""
FILLING_ENTRIES = 500
"""Who has more entries for us than this has them for us alone: others who have the same wait for their turn."""
FILLING_SILENT_SECONDS = 5.0
"""A turn ends when nothing came for so long;"""
FILLING_TURN_SECONDS = 60.0
"""and after this time in any case: nobody keeps things from us by bringing a little now and then."""
FILLING_LOOK_SECONDS = 0.5
"""So often it is looked whether a turn is over."""
SETTLING_SECONDS = 3.0
"""What came less than so long ago is brought to the others of a group by its neighbours, and not by a comparison."""
FORK_ANSWERS = 2
"""Questions about one feed's fork answered on a link between two comparisons: of the other's, two may fall there."""
SOUGHT_SECONDS = 90.0
"""A member whose file is wanted is kept linked so long after it was wanted last; it is said again every 30 s."""
STATEMENT_SOON_SECONDS = 0.5
"""A device states what it holds of a group so long after news, with all that came meanwhile."""
STATEMENT_SECONDS = 2.0
STATEMENT_SECONDS_PER_MEMBER = 0.15
"""And then no sooner again than after so long: all together some seven times a second, however many they are."""
STATEMENTS_PASSED_SECONDS = 0.5
"""Statements are passed on together, so often."""
STATEMENTS_AT_ONCE = 32
"""Statements of a group told to somebody who comes: the latest ones."""
GROUPS_NOT_OURS = 64
"""Groups known here that we are not in: those we left, and those of which it is not clear yet who added us."""
MESSAGES_PER_PAGE = 1_000
"""The most messages that one question for history is answered with."""
ENTRIES_IN_FLIGHT = 1_000
"""Entries of one feed sent on a link and not yet in the other's vector."""
KEYRING_SECONDS = 3.0
"""The system's keyring may take this long; after that it counts as not working."""
FIRST_WORD_SECONDS = 3.0
"""Signing in again without a password waits this long for the locator, then goes on without."""
CLOSING_SECONDS = 2.0
"""Signing out waits no longer than this for farewells."""
LOCATOR_SILENT_SECONDS = 4.0
"""Where there are other locators, one that is silent for so long is left for them: 13 s after it was lost at most."""
LOCATOR_FIRST_RETRY_SECONDS = 0.5
LOCATOR_LAST_RETRY_SECONDS = 15.0
"""Waits between tries to reach the locator: doubling from the first to the last, with jitter."""
VAULT_MEMORY_KIB = 19 * 1024
VAULT_ROUNDS = 2
"""argon2id for the password that opens a profile."""
VAULT_MEMORY_KIB_TAKEN = 1024 * 1024
VAULT_ROUNDS_TAKEN = 64
"""The most that a vault's file may ask for: a later version may want more work, a damaged file gets no terabyte."""
DRAFT_BYTES = 256 * 1024
"""UTF-8 bytes of a draft that are kept: more than a message may have, so that nothing written is lost."""
EVENT_BYTES_WAITING = 8 * 1024 * 1024
"""Bytes that a slow reader of the rpc may fall behind before it gets answers only, no events."""
RECENT_ENTRIES = 1_000
"""Entries just stored that are kept in memory for sending: neighbours who are there get them without a look-up."""
RECENT_HASHES = 20_000
"""Entries of which it is remembered that they are held, in 10 MB: what six neighbours send in the moments after."""
RPC_LINE_BYTES = 1024 * 1024
"""Bytes of one line of JSON-RPC."""
CLAIM_AGAIN_SECONDS = 1.0
"""A program that came second looks so often whether the local socket is free."""
LOCAL_CALLERS = 32
"""Programs on the local socket of a profile at the same time; more are hung up on."""
LOCAL_LINE_BYTES = 64 * 1024 * 1024
"""Bytes of one line that a program of ours answers with: a page of long messages."""
EVENTS_WAITING = 10_000
"""Events that a one-shot verb has not looked at yet; more are dropped."""
LOCAL_ANSWER_SECONDS = 3.0
"""A program that has the profile open answers on its local socket within this time, or counts as hung."""
PROFILE_WAIT_SECONDS = 15.0
"""A one-shot verb waits this long for another one on the same profile."""
SOCKET_PATH_BYTES = 100
"""Longer paths get no Unix socket (108 on Linux, 104 on macOS, with the zero at the end)."""
RPC_REQUESTS_AT_ONCE = 256
"""Requests of one rpc caller answered at the same time; the next ones wait in the pipe."""
CALL_KEPT_SECONDS = 15.0
"""How long a call has lasted is kept so often: what a crash takes from the line that tells of it."""
HOLDERS_KEPT_SECONDS = 0.5
"""What neighbours told to hold is kept so much later, together: it can be asked for again."""
PICTURE_FILE_BYTES = 64 * 1024 * 1024
"""Larger files are not looked into as pictures; they can be sent and saved as files."""
PICTURE_PIXELS = 64_000_000
"""Width times height of a picture that is decoded: 256 MB in memory."""
PICTURE_FRAMES = 1_000
"""Frames of an animation."""
ANIMATION_PIXELS_READ = 256_000_000
"""Pixels of all frames of an animation that is decoded."""
ANIMATION_PIXELS_SHOWN = 32_000_000
"""Pixels of all frames of an animation as it is shown, which is made smaller for that: 128 MB while it is encoded."""
THUMBNAIL_SIDE = 320
"""Longest side of a thumbnail, in pixels."""
PICTURE_WORKER_BYTES = 1024 * 1024 * 1024
"""Address space of the process that decodes pictures; what needs more is refused."""
PICTURE_SECONDS = 15.0
"""One picture may take this long to decode."""
PICTURE_TASK_BYTES = PICTURE_FILE_BYTES + 64 * 1024
PICTURE_ANSWER_BYTES = 96 * 1024 * 1024
"""What the process that decodes pictures is asked and answers at most: a file, a little more."""
PICTURES_WAITING = 256
"""Pictures that wait for that process; more are refused: nobody has so many on the screen."""
PICTURE_WORKER_IDLE_SECONDS = 60.0
"""It ends after so long with nothing to do."""
PICTURE_CACHE_BYTES = 256 * 1024 * 1024
"""Cleaned copies kept on disk for an account; those not looked at for longest go first."""
PICTURE_SIDES = (320, 640, 1280, 2560, 5120)
"""Longest sides, in pixels, in which a picture is shown: the smallest that is enough."""
FILE_BUFFER_BYTES = 256 * 1024
"""Bytes of a file that are read, hashed or moved at once."""
SEALED_AT_ONCE_BYTES = 64 * 1024
"""Bytes of content that are encrypted, then sent in one call: few calls, and still in the processor's cache."""
WRITE_OUT_BYTES = 8 * 1024 * 1024
"""After so many bytes written to a file the system begins to bring them to the disk: the end need not wait for it."""
COPIED_BYTES = 64 * 1024 * 1024
"""What is sent and has at most so many bytes is copied into the profile; the original may change or go."""
SENDINGS_WAITING = 1_000
"""Files of ours that may wait to be read and sent; more are refused."""
TRANSFER_TELL_SECONDS = 0.25
"""Progress of one transfer is told no more often."""
AUTO_FETCH_BYTES = 1024 * 1024
"""Files of friends up to this size come by themselves, unless somebody set another size."""
UNASKED_FETCHES = 1_000
"""Files that are fetched at the same time, beyond which nothing comes by itself any more: who wants it, asks for it."""
AUTO_FETCH_MEDIA_BYTES = 10 * 1024 * 1024
"""Pictures and voice messages come by themselves up to this size: they are meant to be seen and heard at once."""
AUDIO_CALL_SECONDS = 3.0
"""A sound system may take this long to open, start or stop a device; after that it counts as hung."""
AUDIO_SETTLES_SECONDS = 1.0
"""A process that ends waits so long for what it asked of the sound system; the node waits for it a little longer."""
AUDIO_LOST_SECONDS = 4.0
"""A device that brings or takes nothing for so long has gone; one on Bluetooth may take 2 s to begin."""
AUDIO_ANSWER_SECONDS = 10.0
"""The audio process answers within this time, hung devices included, or it is ended."""
AUDIO_IDLE_SECONDS = 60.0
"""It ends after so long with nothing to do."""
AUDIO_LINE_BYTES = 64 * 1024
"""Bytes of a line to or from the audio process."""
AUDIO_NAMES = 64
"""Devices that are listed."""
AUDIO_BUFFERS_WAITING = 500
"""Pieces of 10 ms heard and not yet encoded, when the computer is busy; more are lost."""
PLAYED_AHEAD_BUFFERS = 20
"""Pieces of 10 ms made ready before the speaker wants them."""
VOICE_BITRATE = 24_000
"""Bits a second of a voice message, on average."""
VOICE_RECORDED_SECONDS = 10 * 60
"""The longest voice message: then the recording ends by itself, and is kept."""
VOICE_FILE_BYTES = 32 * 1024 * 1024
VOICE_PACKETS = 200_000
"""The most that is played of a file: an hour and more in packets of 20 ms."""
FASTEST_PLAYED = 2.0
"""The highest speed at which a voice message is played."""
LEVELS_A_SECOND = 15
"""How often a recording tells how loud it is: the meter moves."""
POSITIONS_A_SECOND = 5
"""How often it is told where in a voice message one is."""
RING_SECONDS = 60
"""How long a tone for a call lasts at most; a call rings 45 s."""
WHOLE_PIECE_BYTES = 1024 * 1024
"""Pieces up to this size are kept in memory until they are verified, so that no wrong byte is ever written."""
REQUEST_BYTES = 16 * 1024 * 1024
"""Asked of a source at once, where it is the only one."""
SHARED_REQUEST_BYTES = 2 * 1024 * 1024
"""Asked of a source at once, where there are several: what each fetches differs, so that they can exchange."""
LATE_PIECE_SECONDS = 0.5
"""Who has nothing else to do brings what another one was asked for so long ago; sooner it would mostly come twice."""
REQUESTS_AHEAD = 2
"""Requests made before the answer to the first has come: the source always has something to do."""
PULLING_THREADS = 6
"""Connections on which content is fetched at the same time."""
SERVING_THREADS = 10
"""Connections on which content is given at the same time; who comes then is told to come later, by being hung up on."""
SOURCES_PER_TRANSFER = 4
"""Connections for one attachment."""
FIRST_SOURCE_RETRY_SECONDS = 0.5
LAST_SOURCE_RETRY_SECONDS = 30.0
"""Waits before a source is tried again after its connection failed: doubling, with jitter."""
SLOWEST_SOURCE = 4 * 1024
"""Bytes a second; who gives less over a while is given up, for others or for a while."""
SLOW_SOURCE_SECONDS = 20.0
"""That while."""
BEHIND_SECONDS = 5.0
BEHIND_TIMES = 10
"""Who gives so many times less than the fastest source of a file, after so long, is given up for the others."""
SLOW_SOURCE_RESTS_SECONDS = 30.0
"""Who was given up for others is not asked for so long, unless there is nobody else."""
PIECES_TOLD_SECONDS = 0.5
"""What has come is told to neighbours no more often."""
LOOP_ANSWER_SECONDS = 60.0
"""A transfer thread waits no longer than this for a decision of the loop."""
LAST_WORD_SECONDS = 2.0
"""When its author has something no more, others may tell for so long that they have it, before it is given up."""
NOTHING_TO_ASK_SECONDS = 2.0
"""A source that has nothing for us now is kept so long, in case it gets something."""
TABLES_AT_HAND = 8
"""Piece tables kept in memory for those who fetch."""
SERVED_AT_ONCE = 4
"""Connections on which one attachment is given at once: of a class the others take it from those who have some."""
BUSY_SOURCE_SECONDS = 0.5
"""A source that has no place for us now is asked again after about this time."""
GIVEN_QUIET_SECONDS = 1.0
"""When others have had nothing more for so long, nothing is going out any more."""
TYPING_SHOWN_SECONDS = 6.0
"""Who is not told of again for so long has stopped writing."""
TYPING_TAKEN_SECONDS = 1.0
"""That one person is writing in one conversation is told to the screen no more often, whatever comes."""
REPLIES_TOLD = 100
"""Replies to one message, the newest, whose quote is told anew when that message changes; others show it when read."""
ACTS_AT_ONCE = 30
ACTS_A_SECOND = 5.0
"""Edits and reactions that one person here can write at once, and how many more a second after that."""
WIPE_SECONDS = 1.0
"""What was deleted leaves the log of the database so much later, together with what is deleted meanwhile."""
VOICE_PACKETS_DROPPED = 10_000
"""Packets that came while nobody read the voice port, dropped when a call begins: more than a kernel keeps."""
