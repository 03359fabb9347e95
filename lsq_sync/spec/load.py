"""Text -> positioned data: plain text at once, all other text and all that is wrong by libyaml."""

from codecs import BOM_UTF8

from lsq_sync.errors import Diagnostic, Origin
from lsq_sync.spec.document import Loaded
from lsq_sync.spec.files import MAX_BYTES
from lsq_sync.spec.scan import scan
from lsq_sync.spec.stencil import Stencils

_MIB = 1024 * 1024


def load(data: bytes, file: str, stencils: Stencils | None = None) -> Loaded:
    """The one document in `data`, and everything wrong with it; never raises for bad input.

    `stencils`: what was learnt from other files that look alike.
    """
    if len(data) > MAX_BYTES:
        return Loaded(None, (too_large(len(data), file),))
    text = decoded(data, file)
    if isinstance(text, Diagnostic):
        return Loaded(None, (text,))
    if plain := scan(text.replace("\r\n", "\n"), stencils or Stencils()):
        return Loaded(plain, ())
    from lsq_sync.spec.events import read_events  # brings yaml along

    return read_events(text, file)


def too_large(size: int, file: str) -> Diagnostic:
    """What is said of a file of more than MAX_BYTES."""
    message = f"the file has {size / _MIB:.0f} MiB, the limit is {MAX_BYTES / _MIB:.0f}"
    hint = "split it: opportunities may stand in any number of files"
    return Diagnostic(Origin(file), "too-large", message, hint)


def decoded(data: bytes, file: str) -> str | Diagnostic:
    """The text of these bytes, or the first of them that is not UTF-8."""
    data = data.removeprefix(BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        origin = origin_after(file, data[: error.start].decode("utf-8", "replace"))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        return Diagnostic(origin, "encoding", message, "save the file as UTF-8")


def origin_after(file: str, before: str) -> Origin:
    """The place of what stands behind this beginning of a file."""
    last = before[before.rfind("\n") + 1 :]
    return Origin(file, before.count("\n") + 1, len(last) + 1)
