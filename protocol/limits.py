"""Every maximum and every wait of the wire, named once, with the reason for its size."""

# --- names and texts -------------------------------------------------------------------------
USER_ID_LENGTH = 32
"""Characters of a user ID: short enough to be read aloud and to fit every row."""
USER_IDS_REMEMBERED = 16_384
"""IDs known to be well-formed, so that they are not checked again: a whole campus, 2 MB."""
DISPLAY_NAME_LENGTH = 64
"""Characters of a display name: one line in the widest header."""
NOTE_LENGTH = 280
"""Characters of the note beside a friend request: a stranger gets two sentences, not a letter."""
TEXT_BYTES = 64 * 1024
"""UTF-8 bytes of one text message; longer ones belong into a file."""
PASSWORD_LENGTH = 1024
"""Characters of a password: more would only be work for argon2."""
HOST_LENGTH = 253
"""Characters of a host's name (RFC 1035)."""
SHORTEST_CHOSEN_PASSWORD = 8
"""Characters a password chosen by a person must have; an operator may set any."""

# --- frames ----------------------------------------------------------------------------------
LOCATOR_REQUEST_FRAME = 64 * 1024
"""Bytes of a client's frame to the locator: a watch of 1,000 IDs is the largest honest one."""
LOGIN_FRAME = 8 * 1024
"""Bytes of a client's frame to the locator before it is logged in: the longest password and name fit."""
LOCATOR_REPLY_FRAME = 1024 * 1024
"""Bytes of the locator's frame to a client: an answer about 1,000 users."""
GREETING_FRAME = 4 * 1024
"""Bytes of a frame on a link whose greeting has not come yet."""
LINK_FRAME = 512 * 1024
"""Bytes of any later frame on a link: a batch of entries is cut to stay below."""
MAGIC_BYTES = 4
"""Clear bytes with which a connection to a peer's port says what it is."""

# --- locator ---------------------------------------------------------------------------------
USERS_PER_QUESTION = 1_000
"""IDs in one where or watch; also the most watches a session holds."""
ADDRESSES_PER_USER = 8
"""Addresses kept for one user: the one seen, and a few interfaces."""
ADDRESS_LENGTH = 45
"""Characters of an IPv6 address with an embedded IPv4 one, the longest there is."""
DEVICES_PER_USER = 8
"""Devices valid at once for one user; the oldest goes when a ninth logs in with the password."""
LOCATORS_AS_ONE = 32
"""Locators that share one authority and its accounts, as a peer is told of them."""
PLACE_LENGTH = HOST_LENGTH + 6
"""Characters of HOST:PORT."""
LEASE_SECONDS = 30.0
"""A session silent for this long is gone; three signs of life may be lost."""
KEEP_ALIVE_SECONDS = 9.0
"""A client says that it is still there this often."""
CHALLENGE_BYTES = 32
"""Length of the nonce a device signs to log in."""
HANDSHAKE_SECONDS = 10.0
"""A TLS handshake must be done within this time, on any port."""
REQUEST_SECONDS = 15.0
"""A client waits so long for the locator's answer; a password takes argon2 and a queue."""

LONGEST_WAIT_SECONDS = 86_400.0
"""The longest time that the locator may tell a client to wait; a number, never infinity."""

# --- calls -----------------------------------------------------------------------------------
CALL_ID_BYTES = 16
"""Length of a call's random name."""
CALL_OUTCOME_LENGTH = 16
"""Characters of the word that says how a call ended."""
CALL_SECONDS = 7 * 24 * 3_600
"""The longest call that an entry tells of."""
CALL_PEOPLE = 8
"""People in one call: each sends to each, so a ninth costs everybody 54 kbit/s more each way."""
CALL_RING_SECONDS = 45.0
"""A call that nobody answers is over after this time, and an offer that came later does not ring."""
CALL_LOST_SECONDS = 15.0
"""Who is not heard for so long is out of the call, whatever the link says."""
VOICE_KEY_BYTES = 44
"""Of a leg's key and its salt (AEAD_AES_256_GCM, RFC 7714)."""

# --- certificates ----------------------------------------------------------------------------
CERTIFICATE_BYTES = 2_048
"""Bytes of a certificate as accepted from anybody; ours have about 400."""
CERTIFICATE_DAYS = 365
"""A device's certificate lasts a year."""
CERTIFICATE_RENEWAL_DAYS = 30
"""It is renewed at a login when older than this."""

# --- links -----------------------------------------------------------------------------------
MAGIC_SECONDS = 5.0
"""The clear bytes must have come within this time."""
GREETING_SECONDS = 10.0
"""The greeting, then `keep`, must have come within this time after the handshake."""
PING_SECONDS = 3.0
"""A link that was silent for this long is asked whether it lives."""
DEAD_LINK_SECONDS = 9.0
"""A link on which nothing came for this long is dead: noticed within 10 s."""
PENDING_HANDSHAKES = 64
"""Incoming connections in handshake at once; more are shed."""
FIRST_REDIAL_SECONDS = 0.5
"""The first wait before dialling again; it doubles, with jitter."""
LAST_REDIAL_SECONDS = 30.0
"""The longest wait before dialling again."""
LINK_BUFFER_BYTES = 1024 * 1024
"""Bytes waiting to be sent on a link before its sender pauses."""

# --- entries and sync ------------------------------------------------------------------------
ENTRY_ID_BYTES = 16
SALT_BYTES = 16
"""Salt in each body, so that a deleted short text cannot be guessed from its hash."""
HEADER_BYTES = 4 * 1024
"""Bytes of an entry's header."""
BODY_BYTES = TEXT_BYTES + 4 * 1024
"""Bytes of an entry's body: the longest text and what stands beside it."""
ENTRIES_PER_BATCH = 200
"""Entries stored in one transaction, and sent in one frame."""
ENTRY_BATCH_BYTES = 256 * 1024
"""Bytes of entries in one frame, before the frame is closed."""
DIGEST_BUCKETS = 64
"""Buckets of a conversation's digest; only differing ones are compared line by line."""
BUCKET_HASH_BYTES = 8
"""Bytes of a bucket's hash: enough to notice a difference, checked again every 30 s."""
FEEDS_PER_BUCKET = 256
"""Feeds of one conversation in one bucket of its digest: their lines, at their longest, fit one frame."""
FEEDS_OF_ONE_AUTHOR_PER_BUCKET = 64
"""Of these, feeds by one person: thousands of devices and incarnations in all, and room for the others."""
FEEDS_PER_CONVERSATION = DIGEST_BUCKETS * FEEDS_PER_BUCKET
"""Feeds one conversation may hold: 200 members, many devices and incarnations each."""
CONVERSATIONS_PER_MESSAGE = 1_000
"""Conversations compared in one digest message."""
LACKING_RANGES = 64
"""Ranges of absent bodies in one vector line."""
READ_RANGES = 1_024
"""Ranges of read numbers told for one feed."""
READ_LINES_PER_MESSAGE = 16
"""Feeds in one message of what was read: at the most ranges each, they fit one frame."""
SHORT_HASH_BYTES = 8
"""Bytes of hashes in statements about what somebody holds: enough to tell one's own feeds apart."""
STATED_FEEDS = 32
"""Feeds in one statement, those that moved last and some others in turn: its size does not grow with the group."""
STATED_RANGES = 16
"""Ranges of absent bodies, and of numbers read, in one line of a statement."""
STATEMENT_BYTES = 16 * 1024
"""Bytes of one statement; an ordinary one has 1 KiB."""
STATEMENTS_PER_MESSAGE = 16
"""Statements in one message: at their longest they fit one frame."""
FORK_POINTS = 48
"""Points of a feed shown to find where two versions of it part (head, -1, -2, -4 …)."""
GROUP_MEMBERS = 200
"""Members of a group: a course with its teachers."""
SEEN_FEEDS = 512
"""Feeds named in one entry about membership; at 90 bytes each they fit a body."""
HEADERS_BEYOND_REMOVAL = 256
"""Entries of a feed taken beyond the end that a removal gave it, content aside: what was said at the same moment."""
LARGEST_NUMBER = 2**53 - 1
"""The largest entry number and stamp: exact in every language that might read our JSON."""
RESYNC_SECONDS = 30.0
"""Linked peers compare digests again this often, whatever they believe."""
CLOCK_TOLERANCE_MS = 5 * 60 * 1000
"""A stamp further than this ahead of the local clock is not believed."""

# --- acts upon messages ----------------------------------------------------------------------
MENTIONS = 50
"""People named in one text: with the longest text they fit a body."""
DELETED_EDITS = 511
"""Edits of one message that its deletion names, the newest: with the message itself they fit a body."""
EMOJI_LENGTH = 32
"""Characters of the emoji of a reaction: a family of four with skin tones has 11."""
QUOTE_LENGTH = 200
"""Characters of a quoted message that are shown above a reply."""
TYPING_SECONDS = 3.0
"""That somebody is writing is said this often while it lasts; after twice that without a word it is over."""

# --- attachments -----------------------------------------------------------------------------
ATTACHMENT_BYTES = 2**40
"""Bytes of one file or folder: a terabyte, in pieces of 256 MiB."""
SMALLEST_PIECE_BYTES = 256 * 1024
"""Bytes of a piece of anything up to 1 GiB; above, pieces grow so that their number does not."""
PIECES_PER_ATTACHMENT = 4_096
"""Pieces, each with a hash of 32 bytes: the hashes of any file take at most 128 KiB."""
PIECES_PER_REQUEST = 64
"""Pieces asked for at once: whether somebody may have them is judged anew for each request."""
FILE_FRAME = 4 * 1024
"""Bytes of a frame on a file connection; content is not framed."""
FILE_IDLE_SECONDS = 30.0
"""A file connection on which nothing is asked for this long is closed."""
FILE_STALL_SECONDS = 15.0
"""A file connection on which content is due and not a byte moves for this long is closed."""
ENTRIES_ASKED_ABOUT = 64
"""Attachments of which somebody may ask at once who has what."""
FILES_PER_ATTACHMENT = 20_000
"""Files of one folder."""
FILE_NAME_LENGTH = 255
"""Characters of the name of a file or folder, the most that file systems take."""
FILE_PATH_LENGTH = 1_024
"""Characters of a file's path inside its folder."""
TABLE_BYTES = 4 * 1024 * 1024
"""Bytes of a piece table: all hashes, and the paths of a folder."""
CAPTION_LENGTH = 4_096
"""Characters of what is said beside a file."""
ATTACHMENT_KIND_LENGTH = 16
"""Characters of the word that says what an attachment is."""
THUMBNAIL_BYTES = 16 * 1024
"""Bytes of the small JPEG that comes with a picture's entry, before the picture itself."""
PICTURE_SIDE = 1_000_000
"""Pixels of a side that an entry may tell of; what is decoded has limits of its own."""
WAVEFORM_BARS = 128
"""Bars of a voice message's waveform, a byte each."""
VOICE_MESSAGE_MS = 24 * 3_600_000
"""The longest voice message that an entry may tell of: a day."""

# --- strangers -------------------------------------------------------------------------------
PENDING_REQUESTS = 200
"""Friend requests from strangers kept at once; more are refused until some are answered."""
CONSENT_ENTRIES_PER_STRANGER = 64
"""Consent entries taken from one person who is not a friend; a person asks a few times, not more."""
WITHHELD_HEADERS = 10_000
"""Entries of a former friend taken without their bodies, so that asking again can reach us."""
HEADERS_OF_UNKNOWN_GROUP = 200_000
"""Entries of a group taken without their bodies until we are in it: all that its adders ever wrote, in 60 MB."""
STRANGER_LINKS = 32
"""Links with people who are not friends at once."""
VOICE_FRAME_BYTES = 400
"""Bytes of an Opus frame of 20 ms in a call: 160 kbit/s, far more than is used."""
VOICE_COPIES = 4
"""Earlier frames beside the new one in a voice packet."""
VOICE_PACKET_BYTES = 1_400
"""Bytes of a protected voice packet: what passes every usual network in one piece."""
