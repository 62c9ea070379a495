"""The five usual causes of a failure, each by what the lines that give it away look like.

The table is in order of how much a line tells: a connection that was refused explains the
"no matching distribution" after it, and a traceback alone explains the least.
"""

import re
from dataclasses import dataclass
from typing import Literal

Usual = Literal[
    "environment variables", "permissions", "network", "dependency conflicts", "script errors"
]


@dataclass(frozen=True)
class Telltale:
    """What a line of one cause looks like; its group ``name`` is the thing that it is about."""

    cause: Usual
    pattern: re.Pattern[str]


def _telltales(cause: Usual, *patterns: str) -> tuple[Telltale, ...]:
    return tuple(Telltale(cause, re.compile(pattern, re.MULTILINE)) for pattern in patterns)


_VARIABLE = r"\b(?P<name>[A-Z][A-Z0-9_]{0,80})\b"
_ABSENT = (
    r"(?:is |was |are |has |have )?"
    r"(?:not (?:been )?(?:set|defined|declared|given|configured)|unset|undefined)"
)

TELLTALES = (
    *_telltales(
        "environment variables",
        r"(?:<frozen os>|/os\.py|environ\[)[\s\S]{0,600}?KeyError: ['\"](?P<name>[A-Z][A-Z0-9_]*)",
        r"KeyError: ['\"](?P<name>[A-Z][A-Z0-9]{0,40}_[A-Z0-9_]{1,80})['\"]",
        rf"(?i:environment variables?|env(?:ironment)? var|variable) ['\"`$]*{_VARIABLE}['\"`]* "
        rf"(?:{_ABSENT}|is (?:missing|required|empty))",
        rf"(?i:missing|required|undefined|unset)(?i: required)? "
        rf"(?i:environment variables?|env(?:ironment)? vars?|settings?)[: ]+['\"`$]*{_VARIABLE}",
        rf"(?i:set|define|export|provide) the (?:['\"`$]*)?{_VARIABLE}['\"`]* "
        r"environment variable",
        rf"(?<!name ')(?<!ReferenceError: ){_VARIABLE}['\"`]*:? "
        rf"(?:{_ABSENT}|must be set|environment variable (?:is required|not found))\b",
        rf"\$?\{{?{_VARIABLE}\}}?: (?:unbound variable|parameter (?:null or )?not set)",
        r"ValidationError: [^\n]+ for \w*(?:Settings|Config)\w*\n(?P<name>\w+)\n\s+Field required",
        rf"UndefinedValueError: {_VARIABLE} not found",
        rf"\bThe {_VARIABLE} setting must not be empty",
        r"\$\{(?P<name>(?:env|file|vault|sops|age):[^}\n]{1,200})\}.{0,80}?"
        r"(?:is not|not set|missing|no such)",
    ),
    *_telltales(
        "permissions",
        r"PermissionError\b",
        r"\bEACCES\b|\bEPERM\b",
        r"(?i)\bpermission denied\b",
        r"\bInsufficientPrivilege\b|must be (?:owner|superuser|member) of",
        r"(?i)\boperation not permitted\b",
        r"(?i)\b(?:password|peer|ident) authentication failed\b",
        r"(?i)\b403\b[ :,-]*(?:client error|forbidden)|\bforbidden\b.{0,40}\b403\b",
        r"(?i)\b401\b[ :,-]*(?:client error|unauthorized)|\bunauthorized: authentication required",
        r"(?i)\b(?:answered|status(?: code)?|HTTP(?:/[\d.]+)?) (?:40[13])\b",
        r"(?i)access(?: ?is)? ?denied\b|\bhost key verification failed\b",
        r"(?i)\ba password is required\b|denied: requested access",
        r"(?i)\b(?:role|user) \S+ is not permitted\b",
    ),
    *_telltales(
        "network",
        r"(?i)\bconnection (?:was )?(?:refused|reset|aborted|(?:closed )?unexpectedly|timed out)\b",
        r"\bECONN(?:REFUSED|RESET|ABORTED)\b|\bETIMEDOUT\b|\bEHOSTUNREACH\b|\bENOTFOUND\b",
        r"\bConnection(?:Refused|Reset|Aborted)Error\b|\b(?:Connect|Read|Pool)Timeout\b",
        r"(?i)\bname or service not known\b|\btemporary failure in name resolution\b",
        r"(?i)\bcould not (?:resolve host|translate host name)\b|\bgetaddrinfo\b|no such host",
        r"(?i)\bcertificate[ _]verify[ _]failed\b|\bcertificate has expired\b|\btls handshake\b",
        r"\bSSLError\b|\bx509: ",
        r"(?i)\bno route to host\b|\bnetwork is unreachable\b|\bbroken pipe\b",
        r"(?i)\b(?:read|connect(?:ion)?|i/o|request|operation)(?: operation)? timed? ?out\b",
        r"(?i)\bmax retries exceeded\b|\bremote end closed connection\b",
        r"(?i)\b50[234]\b[ :,-]*(?:server error|bad gateway|service (?:temporarily )?unavailable"
        r"|gateway time-?out)",
        r"(?i)\bfailed to fetch\b.{0,80}\bhttps?://",
        r"(?i)\bdoes not answer\b|\bnothing was answered within\b",
        r"\bConnectionError: Error \d+ connecting to\b",
    ),
    *_telltales(
        "dependency conflicts",
        r"\bModuleNotFoundError: No module named ['\"](?P<name>[^'\"\n]{1,200})",
        r"\bImportError: (?:cannot import name ['\"](?P<name>[^'\"\n]{1,200})|.+)",
        r"(?i)\bcannot find (?:module|package) ['\"](?P<name>[^'\"\n]{1,200})",
        r"(?i)\bno module named ['\"]?(?P<name>[\w.]+)",
        r"\bResolutionImpossible\b|(?i:cannot install .+ because these package versions)",
        r"(?i)\bdependency resolver\b|^The conflict is caused by",
        r"(?i)\bno solution found when resolving\b|\bversion solving failed\b",
        r"(?i)\b(?:conflicting|incompatible) (?:dependencies|requirements|versions)\b",
        r"(?i)\bhash(?:es)? (?:mismatch|do not match)\b|\bdo not match the hashes\b",
        r"(?i)\bhashes are required\b",
        r"(?i)\bno matching distribution found for (?P<name>[\w.\[\]=<>!~-]{1,80})",
        r"(?i)\bcould not find a version that satisfies the requirement "
        r"(?P<name>[\w.\[\]=<>!~-]{1,80})",
        r"(?i)\bVersionConflict\b|\bDistributionNotFound\b|\bPackageNotFoundError\b",
        r"(?i)\b(?P<name>\w[\w.-]{0,80}) [\w.+-]{1,40} (?:has requirement|requires) .+"
        r"(?:but you(?:'ll)? have|which is)",
        r"\bERESOLVE\b|(?i:unmet peer dependency|requires a different python|no compatible wheel)",
        r"(?i)\bfail(?:ed|ure) (?:building wheel for|to build) [`'\"]?(?P<name>[\w.-]+)",
        r"(?i)\b(?:undefined symbol|GLIBC(?:XX)?_[\d.]+' not found)",
    ),
    *_telltales(
        "script errors",
        r"\b(?:SyntaxError|IndentationError|TabError): ",
        r"(?i)\bsyntax error\b|\bunexpected EOF\b",
        r"(?i)\bcommand not found\b|: not found$",
        r"^FAILED \S+|^ERROR \S+\.py|^E\s+\S",
        r"(?i)\b[1-9]\d* (?:of \d+ )?(?:tests?|examples?|specs?)? ?failed\b",
        r"^[\w.]*(?:Error|Exception|Exit|Interrupt)\b(?::|$)",
        r"Traceback \(most recent call last\)",
        r"(?i)\b(?:ended|exited|exit(?: code| status)?|returned)(?: with)?"
        r"(?: (?:code|status|non-zero exit (?:code|status)))?:? [1-9]\d{0,2}\b",
        r"^make(?:\[\d+\])?: \*\*\* .+ Error \d+",
        r"(?i)\bnon-zero exit (?:code|status)\b",
        r"(?i)\bthe tests hung\b|\bsegmentation fault\b|\bkilled by signal\b",
        r"\bSIG(?:KILL|SEGV|ABRT)\b",
        r"(?i)\b(?:test failed\.|no test was executed|coverage is .+ against)\b",
    ),
)
"""In this order the first that is found anywhere decides."""
