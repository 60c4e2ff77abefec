# The face of this room: what other rooms may import.
from .entry import Entry as Entry
from .entry import canonical as canonical
from .entry import entry_of as entry_of
from .entry import now as now
from .extract import write_extract as write_extract
from .keys import LEAST_CHARACTERS as LEAST_CHARACTERS
from .keys import SigningKey as SigningKey
from .keys import identifier_of as identifier_of
from .keys import is_signed as is_signed
from .keys import make_key as make_key
from .keys import read_key as read_key
from .keys import read_private as read_private
from .keys import write_private as write_private
from .log import Log as Log
from .operators import ADMINISTRATOR as ADMINISTRATOR
from .operators import KEY as KEY
from .operators import LABORATORY as LABORATORY
from .operators import REVOKED as REVOKED
from .operators import VALID as VALID
from .operators import Operator as Operator
from .operators import key_body as key_body
from .operators import operator_of as operator_of
from .receipts import Receipt as Receipt
from .receipts import read_receipt as read_receipt
from .receipts import receipt_of as receipt_of
from .receipts import remember_head as remember_head
from .receipts import seen_head as seen_head
from .receipts import write_receipt as write_receipt
from .rules import RefusedError as RefusedError
from .rules import Rule as Rule
from .verification import LogFault as LogFault
from .verification import LogIntegrity as LogIntegrity
from .verification import verify_log as verify_log
from .views import Head as Head
from .views import View as View

__all__ = [
    "ADMINISTRATOR",
    "KEY",
    "LABORATORY",
    "LEAST_CHARACTERS",
    "REVOKED",
    "VALID",
    "Entry",
    "Head",
    "Log",
    "LogFault",
    "LogIntegrity",
    "Operator",
    "Receipt",
    "RefusedError",
    "Rule",
    "SigningKey",
    "View",
    "canonical",
    "entry_of",
    "identifier_of",
    "is_signed",
    "key_body",
    "make_key",
    "now",
    "operator_of",
    "read_key",
    "read_private",
    "read_receipt",
    "receipt_of",
    "remember_head",
    "seen_head",
    "verify_log",
    "write_extract",
    "write_private",
    "write_receipt",
]
