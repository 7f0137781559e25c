"""The largest honest message fits its frame: no two limits contradict each other."""

from protocol import limits
from protocol.device_lists import DeviceList, SignedDeviceList, sign_device_list
from protocol.entries import WireEntry
from protocol.framing import FrameReader
from protocol.identity import ConversationId, DeviceId, EntryHash, FeedId, PublicKey, UserId
from protocol.link_messages import LINK, Buckets, ConversationDigest, Digests, Entries, ForkPoint, ForkPoints, Greeting
from protocol.locator_messages import LOCATOR, Endpoint, Register, Watch, Whereabout, Whereabouts
from protocol.registry import Message, Registry
from tests.protocol.realms import AUTHORITY, REALM

LONGEST_ID = UserId("x" * limits.USER_ID_LENGTH)
ADDRESSES = ("f" * limits.ADDRESS_LENGTH,) * limits.ADDRESSES_PER_USER
CONVERSATION, HASH, FEED = ConversationId(bytes(32)), EntryHash(bytes(32)), FeedId(bytes(48))


def comes_through(registry: Registry, message: Message, largest: int) -> bool:
    (frame,) = FrameReader(largest).receive(registry.encode(message))
    return registry.decode(frame) == message


def longest_device_list() -> SignedDeviceList:
    devices = tuple(DeviceId(bytes([n]) * 32) for n in range(limits.DEVICES_PER_USER))
    return sign_device_list(AUTHORITY, REALM, DeviceList(LONGEST_ID, limits.LARGEST_NUMBER, devices))


def test_a_question_about_a_thousand_users_fits() -> None:
    users = (LONGEST_ID,) * limits.USERS_PER_QUESTION
    assert comes_through(LOCATOR, Watch(2**32 - 1, users), limits.LOCATOR_REQUEST_FRAME)


def test_an_answer_about_a_thousand_users_fits() -> None:
    most = limits.LARGEST_NUMBER
    about = Whereabout(LONGEST_ID, True, ADDRESSES, 65_535, 65_535, longest_device_list(), most, known=True)
    answer = Whereabouts(2**32 - 1, (about,) * limits.USERS_PER_QUESTION)
    assert comes_through(LOCATOR, answer, limits.LOCATOR_REPLY_FRAME)


def test_the_longest_registration_fits() -> None:
    endpoint = Endpoint(65_535, 65_535, ADDRESSES)
    password, name = "𝄞" * limits.PASSWORD_LENGTH, "𝄞" * 4 * limits.DISPLAY_NAME_LENGTH
    request = Register(2**32 - 1, LONGEST_ID, password, name, PublicKey(bytes(32)), endpoint)
    assert comes_through(LOCATOR, request, limits.LOCATOR_REQUEST_FRAME)


def test_the_longest_greeting_fits() -> None:
    assert comes_through(LINK, Greeting(65_535, "𝄞" * 64), limits.GREETING_FRAME)


def test_a_full_batch_and_the_entry_that_filled_it_fit() -> None:
    largest = WireEntry(
        bytes(limits.HEADER_BYTES), bytes(64), bytes(limits.BODY_BYTES), bytes(limits.CERTIFICATE_BYTES)
    )
    small = WireEntry(bytes(limits.ENTRY_BATCH_BYTES // limits.ENTRIES_PER_BATCH - 128), bytes(64), b"")
    batch = (*(small,) * (limits.ENTRIES_PER_BATCH - 1), largest)
    assert comes_through(LINK, Entries(CONVERSATION, batch), limits.LINK_FRAME)


def test_digests_buckets_and_fork_points_fit() -> None:
    digests = (ConversationDigest(CONVERSATION, HASH),) * limits.CONVERSATIONS_PER_MESSAGE
    points = (ForkPoint(limits.LARGEST_NUMBER, HASH),) * limits.FORK_POINTS
    buckets = bytes(limits.DIGEST_BUCKETS * limits.BUCKET_HASH_BYTES)
    for message in (Digests(digests), Buckets(CONVERSATION, buckets), ForkPoints(CONVERSATION, FEED, points)):
        assert comes_through(LINK, message, limits.LINK_FRAME)


def test_a_dead_link_is_asked_more_than_once_and_a_lease_outlives_lost_keep_alives() -> None:
    assert limits.DEAD_LINK_SECONDS >= 2 * limits.PING_SECONDS
    assert limits.LEASE_SECONDS > 3 * limits.KEEP_ALIVE_SECONDS
