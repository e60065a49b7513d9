"""YAML as Kubernetes reads it, for kubeconfigs and for manifests alike.

kubectl reads YAML through a Go library (sigs.k8s.io/yaml, on go-yaml v2) that turns it into JSON first. Its plain
scalars, its merge keys and its mapping keys mean something else than PyYAML's: ``y`` is a boolean, ``2001-01-01`` and
``1:30`` are strings, ``1e3`` is 1000, ``0o17`` is 15, the key ``1`` becomes ``"1"``. So PyYAML only parses here, with
libyaml where it is compiled in; `load_yaml` builds the values from its events, by one table for both parsers.
PyYAML is imported when first used.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from dynkube import codec
from dynkube.errors import DecodeError, InvalidRequestError

__all__ = ["dump_yaml", "load_all", "load_yaml"]

MAX_DEPTH: Final = 250
"""How deep sequences and mappings may nest, aliases followed."""

MAX_ALIASED_NODES: Final = 400_000
"""How many nodes the aliases of one document may stand for: a "billion laughs" document is refused."""

_CORE = "tag:yaml.org,2002:"
_ODD_BREAKS: Final = re.compile("[\x85\u2028\u2029\ufeff]")
_UNSET: Final = object()
_MERGE: Final = object()


# --------------------------------------------------------------------------- the public functions


def load_yaml(data: bytes | str, what: str = "YAML", *, strict: bool = False, c_loader: bool | None = None) -> Any:
    r"""The value of a document, YAML or JSON; None when it is empty.

    Args:
        data: The text; bytes are UTF-8, or UTF-16 with a byte order mark.
        what: What is read, for the error: the file's path, say.
        strict: Refuse a key that comes twice in a mapping; otherwise the last one counts.
        c_loader: Whether libyaml parses; None for wherever PyYAML has it.

    Raises:
        DecodeError: No YAML, or more than one document. The message has the line and the column and quotes no value.

    >>> load_yaml("replicas: 0o17\nday: 2001-01-01\nat: 1:30\non: y\n2: b")
    {'replicas': 15, 'day': '2001-01-01', 'at': '1:30', 'true': True, '2': 'b'}
    """
    documents = load_all(data, what, strict=strict, c_loader=c_loader)
    if len(documents) > 1:
        raise DecodeError(f"{what}: {len(documents)} YAML documents where one is expected")
    return documents[0] if documents else None


def load_all(data: bytes | str, what: str = "YAML", *, strict: bool = False, c_loader: bool | None = None) -> list[Any]:
    r"""The values of all documents of a stream, those that are empty left out.

    The arguments and the error are those of `load_yaml`.

    >>> load_all("kind: A\n---\n# nothing\n---\nkind: B\n")
    [{'kind': 'A'}, {'kind': 'B'}]
    """
    text = _decode(data, what)
    if not strict and text.lstrip()[:1] in ("{", "["):
        # kubectl looks for JSON first, too: YAML 1.1 does not know surrogate pairs or tabs as JSON does.
        try:
            return [codec.decode(text.encode())]
        except (DecodeError, UnicodeEncodeError):
            pass  # a flow mapping of YAML
    return [document for document in _documents(text, what, strict, c_loader) if document is not None]


def dump_yaml(value: Any) -> str:
    """A document that reads back as the same value, in kubectl and in any YAML 1.1 or 1.2 reader; keys sorted.

    Raises:
        InvalidRequestError: A value that is no plain data.

    >>> print(dump_yaml({"b": "y", "a": ["1e3", 1000]}), end="")
    a:
    - '1e3'
    - 1000
    b: 'y'
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
            return True

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        # PyYAML quotes what PyYAML would misread; this quotes what Kubernetes or YAML 1.2 would.
        ambiguous = text in ("=", "<<") or not isinstance(resolve_scalar(text), str)
        # Line breaks that only YAML 1.1 knows would not survive any other style.
        style = '"' if _ODD_BREAKS.search(text) else "'" if ambiguous else None
        return dumper.represent_scalar(f"{_CORE}str", text, style=style)

    Dumper.add_representer(str, represent)
    try:
        text: str = yaml.dump(value, Dumper=Dumper, sort_keys=True, width=math.inf, allow_unicode=True)
    except (yaml.YAMLError, TypeError) as error:  # TypeError: keys of several types cannot be sorted
        kind = type(error.args[1]).__name__ if len(error.args) > 1 else "mapping with keys of several types"
    else:
        return text
    raise InvalidRequestError(
        f"a value of type {kind} has no YAML form: use dict, list, str, int, float, bool and None"
    )


# --------------------------------------------------------------------------- scalars: one table for both parsers

_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMBER_START: Final = frozenset("+-.0123456789")
# strconv.ParseInt with base 0, its underscores taken out before; "017" is octal.
_INT: Final = re.compile(r"([-+]?)(?:(0[xX][0-9a-fA-F]+)|0[oO]?([0-7]+)|(0[bB][01]+)|(0|[1-9][0-9]*))")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def resolve_scalar(text: str) -> Any:
    """What a plain scalar means to go-yaml v2: a bool, None, an int, a float, or the text itself.

    >>> [resolve_scalar(each) for each in ("Y", "0o17", "017", "08", "1_000", "1e3", "1:30", "=", "~")]
    [True, 15, 15, 8.0, 1000, 1000.0, '1:30', '=', None]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if text[0] == ".":
        return _float(text)
    plain = text.replace("_", "")
    found = _INT.fullmatch(plain)
    if found and len(plain) <= 80:
        sign, hexadecimal, octal, binary, decimal = found.groups()
        number = int(octal, 8) if octal else int(hexadecimal or binary or decimal, 0)
        number = -number if sign == "-" else number
        # int64, or uint64, which has no sign.
        if -(2**63) <= number < (2**63 if sign else 2**64):
            return number
    number_or_text = _float(plain)
    return text if isinstance(number_or_text, str) else number_or_text


def _float(text: str) -> float | str:
    if not _FLOAT.fullmatch(text):
        return text
    number = float(text)
    return text if math.isinf(number) else number  # ParseFloat calls it an error: "1e999" stays text


def _json_number(number: float) -> int | float:
    # Go's float64 8 is the JSON 8, and an int again for whoever reads that JSON.
    return int(number) if number.is_integer() and -(2**63) < number < 2**63 else number


def _key_text(key: Any) -> str | None:
    """A mapping key as the Go library writes it, or None when it refuses such a key."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    if isinstance(key, float):
        return _float_key(key)
    return None


def _float_key(key: float) -> str:
    """``strconv.FormatFloat(key, 'g', -1, 32)``."""
    if not math.isfinite(key):
        return ".nan" if math.isnan(key) else ".inf" if key > 0 else "-.inf"
    try:
        single = struct.unpack("f", struct.pack("f", key))[0]
    except OverflowError:
        return ".inf" if key > 0 else "-.inf"
    text = next(text for digits in range(9) if struct.pack("f", float(text := f"{single:.{digits}e}")) == _f32(single))
    mantissa, _, exponent = text.partition("e")
    if int(exponent) < -4 or int(exponent) >= 6:
        return f"{mantissa}e{int(exponent):+03d}"
    return f"{float(text):f}".rstrip("0").rstrip(".")


def _f32(number: float) -> bytes:
    return struct.pack("f", number)


# --------------------------------------------------------------------------- text and parser


def _decode(data: bytes | str, what: str) -> str:
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        position = error.start
    raise DecodeError(f"{what}: byte {position} is not {encoding.upper()[:6].rstrip('-')}: is this a binary file?")


def _documents(text: str, what: str, strict: bool, c_loader: bool | None) -> Iterator[Any]:
    import yaml

    bad = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if bad:
        line, column = text.count("\n", 0, bad.start()) + 1, bad.start() - text.rfind("\n", 0, bad.start())
        raise DecodeError(
            f"{what}: line {line}, column {column}: the character U+{ord(bad.group()):04X} is not allowed"
        )
    builder = _Builder(what, strict)
    try:
        yield from builder.documents(_events(text, yaml.__with_libyaml__ if c_loader is None else c_loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = ": ".join(filter(None, (error.context, error.problem))) or "no YAML"
    except yaml.YAMLError:
        line, column, problem = 1, 1, "no YAML"
    else:
        return
    # Outside of the except blocks: the parser's error, which may quote the file, is not even the context of ours.
    raise DecodeError(f"{what}: line {line}, column {column}: {_without_quotes(problem)}")


def _without_quotes(problem: str) -> str:
    """The parser's words without what they quote from the file, which could be a credential."""

    def without(found: re.Match[str]) -> str:
        quoted = found.group(1)
        if quoted == "\\t":
            return "tab (indent with spaces)"
        is_token = len(quoted) == 1 or quoted.startswith("<")
        return found.group() if is_token else "..."

    return re.sub(r"'([^']*)'", without, problem)


def _events(text: str, c_loader: bool) -> Iterator[Any]:
    import yaml

    if c_loader:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]

        parser: Any = CParser(text)
    else:
        parser = _pure_parser(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        if isinstance(parser, yaml.parser.Parser):
            parser.dispose()  # breaks reference cycles


def _pure_parser(text: str) -> Any:
    import yaml

    class PureParser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)

    return PureParser(text)


# --------------------------------------------------------------------------- events to values


class _Frame:
    """A sequence or a mapping that is being filled."""

    __slots__ = ("anchor", "height", "key", "lines", "value")

    def __init__(self, value: dict[str, Any] | list[Any], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: Any = _UNSET
        self.height = 1
        self.lines: dict[str, int] = {}


class _Builder:
    """Builds values from parser events, without recursion: nesting costs no stack."""

    def __init__(self, what: str, strict: bool) -> None:
        self._what = what
        self._strict = strict
        self._mark: Any = None

    def documents(self, events: Iterator[Any]) -> Iterator[Any]:
        handlers = {
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
            "MappingStartEvent": self._start_mapping,
            "SequenceStartEvent": self._start_sequence,
            "MappingEndEvent": self._end,
            "SequenceEndEvent": self._end,
        }
        for event in events:
            name = type(event).__name__
            if name == "DocumentStartEvent":
                self._begin()
            elif name == "DocumentEndEvent":
                if self._duplicates:
                    raise DecodeError(f"{self._what}: {'; '.join(self._duplicates)}")
                yield self._root
            elif name in handlers:
                self._mark = event.start_mark
                handlers[name](event)

    def _begin(self) -> None:
        self._root: Any = None
        self._stack: list[_Frame] = []
        # A scalar, as it was resolved, with height 0; or a sequence or mapping with its height.
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._aliased = 0
        self._duplicates: list[str] = []

    def _fail(self, problem: str) -> NoReturn:
        raise DecodeError(f"{self._what}: line {self._mark.line + 1}, column {self._mark.column + 1}: {problem}")

    # ------------------------------------------------------------- events

    def _scalar(self, event: Any) -> None:
        if event.tag is None or event.tag == "!":
            plain = event.tag is None and event.implicit[0]
            value = resolve_scalar(event.value) if plain else event.value
            merges = plain and event.value == "<<"
        else:
            value = self._tagged(event.tag, event.value)
            merges = event.tag == f"{_CORE}merge"
        if event.style == '"' and not event.value.isascii():
            self._check_surrogates(event.value)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 0)
        self._put_scalar(value, merges=merges)

    def _check_surrogates(self, text: str) -> None:
        if any("\ud800" <= char <= "\udfff" for char in text):  # libyaml refuses them while it parses
            self._fail("found an escape of half a surrogate pair")

    def _alias(self, event: Any) -> None:
        if any(frame.anchor == event.anchor for frame in self._stack):
            self._fail("an anchor's value contains itself")
        if event.anchor not in self._anchors:
            self._fail("an alias (*) names an anchor (&) that is not there; quote the value if none is meant")
        value, height = self._anchors[event.anchor]
        if not height:
            self._put_scalar(value, merges=False)
        else:
            if len(self._stack) + height > MAX_DEPTH:
                self._fail(f"nested more than {MAX_DEPTH} deep")
            self._refuse_as_key()
            self._put(self._copied(value), height)

    def _start_mapping(self, event: Any) -> None:
        self._start(_Frame({}, event.anchor))

    def _start_sequence(self, event: Any) -> None:
        self._start(_Frame([], event.anchor))

    def _start(self, frame: _Frame) -> None:
        self._refuse_as_key()
        if len(self._stack) >= MAX_DEPTH:
            self._fail(f"nested more than {MAX_DEPTH} deep")
        self._stack.append(frame)

    def _end(self, _event: Any) -> None:
        frame = self._stack.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.value, frame.height)
        self._put(frame.value, frame.height)

    # ------------------------------------------------------------- values

    def _put_scalar(self, value: Any, *, merges: bool) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is _UNSET:
            frame.key = _MERGE if merges else self._key(frame, value)
            return
        if isinstance(value, float):
            if not math.isfinite(value):
                self._fail("a number that is infinite or none (.inf, .nan) has no JSON form")
            value = _json_number(value)
        self._put(value, 0)

    def _key(self, frame: _Frame, key: Any) -> str:
        text = _key_text(key)
        if text is None:
            self._fail("a mapping key must be a string, a number or a boolean")
        if self._strict:
            if text in frame.lines:
                place = f"line {self._mark.line + 1}, column {self._mark.column + 1}"
                self._duplicates.append(f'{place}: key "{text}" already set in line {frame.lines[text]}')
            frame.lines[text] = self._mark.line + 1
        return text

    def _put(self, value: Any, height: int) -> None:
        if not self._stack:
            self._root = value
            return
        frame = self._stack[-1]
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is _MERGE:
            self._merge(frame.value, value)
            frame.key = _UNSET
        else:
            frame.value[frame.key] = value
            frame.key = _UNSET

    def _merge(self, target: dict[str, Any], source: Any) -> None:
        # go-yaml v2 merges where the "<<" stands, so that it wins over keys before it and loses to those after it;
        # of a sequence, the first mapping wins.
        sources = source if isinstance(source, list) else [source]
        if not all(isinstance(each, dict) for each in sources):
            self._fail("a merge key (<<) needs a mapping or a sequence of mappings")
        for each in reversed(sources):
            target.update(each)

    def _refuse_as_key(self) -> None:
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is _UNSET:
            self._fail("a mapping key must be a string, a number or a boolean")

    def _copied(self, value: Any) -> Any:
        """An alias stands for a value of its own: changing one place later must not change the other."""
        self._aliased += 1
        if self._aliased > MAX_ALIASED_NODES:
            self._fail("the document contains excessive aliasing")
        if isinstance(value, dict):
            return {key: self._copied(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._copied(each) for each in value]
        return value

    def _tagged(self, tag: str, text: str) -> Any:
        """A scalar with an explicit tag; a tag that is not YAML's own means nothing, as in Go."""
        name = tag.removeprefix(_CORE) if tag.startswith(_CORE) else ""
        if name == "binary":
            content = _base64(text)
            if content is None:
                self._fail("!!binary that is no base64")
            return content.decode(errors="replace")
        if name not in ("null", "bool", "int", "float"):
            return text
        value = resolve_scalar(text)
        kind = _kind(value)
        if name == "float" and kind == "int":
            return float(value)
        if name != kind:
            self._fail(f"cannot decode a !!{kind} as a !!{name}")
        return value


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:  # binascii.Error, or not ASCII
        return None


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "bool", int: "int", float: "float"}
    return names.get(type(value), "str")
