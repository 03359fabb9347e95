"""`lsq-sync init`: a new workspace."""

from dataclasses import dataclass
from pathlib import Path

from lsq_sync.errors import StorageError, WorkspaceError
from lsq_sync.places import SETTINGS
from lsq_sync.spec.schemas import schema_text
from lsq_sync.spec.settings import REGIONS, region_hosts

_SETTINGS = """\
# The settings of this workspace: one CRM account. No secrets here: the keys come from the
# environment (LSQ_ACCESS_KEY, LSQ_SECRET_KEY, LSQ_X_API_KEY, or <NAME>_FILE).
version: 1

account:
  name: {name}        # a free label, stored in the lock
  region: {region}      # sets both hosts ({regions}); or give the hosts yourself:
  # async_host: {async_host}
  # host: {host}
  time_zone: UTC    # of DateTime values written without an offset, such as Asia/Kolkata

api:
  # Our share of the account's limit (25 calls in 5 seconds on many plans, less on some). Every
  # integration of the account draws on the same limit, so leave them some.
  rate_limit:
    calls: 20
    seconds: 5
  # late_window_hours: 12    # how long a request without a verdict may still land

# safety:
#   max_updates: 500          # refuse to apply a plan with more updates
#   max_update_percent: 20    # ... or touching more than this share of the recorded opportunities
#   protected_fields: [Owner] # a change of these needs --allow-protected
#   canary_max_rejected_percent: 0   # what of apply --canary may be rejected, and the rest follows
"""

_EXAMPLE = """\
# yaml-language-server: $schema=../{schemas}/spec.schema.json
#
# The field values that opportunities should have. What is not named here is left alone.
# Take the comment signs away, put in the id of one of your opportunities, and look:
#
#   lsq-sync validate
#   lsq-sync plan
version: 1

opportunities: {{}}

# opportunities:
#   5ca5b042-51ea-4699-b6f0-84c40ab12770:   # the opportunity's id, or the value of an AutoId field
#     label: Acme, home loan                # for people; never sent
#     note: Documents complete              # the opportunity's note
#     fields:
#       mx_Custom_6: "200,000"              # a scalar is its text, as it stands here
#       mx_Custom_8: 2026-09-16 12:13:44
#       mx_Custom_9: null                   # clears the field
"""

_IGNORED = ".lsq-sync/"
_ATTRIBUTES = "lsq-sync.lock text eol=lf"


@dataclass(frozen=True, slots=True)
class Made:
    """Which files were made, relative to the new workspace; the region, if nobody named one."""

    files: tuple[str, ...]
    guessed_region: str | None


def run(root: Path, name: str | None, region: str | None) -> Made:
    """Makes the workspace; files that are there already stay, `.gitignore` gets its line.

    Raises WorkspaceError if one is there already, StorageError if it cannot be written.
    """
    if (root / SETTINGS).exists():
        raise WorkspaceError(
            f"there is a workspace in {root} already",
            hint=f"edit its {SETTINGS}, or name another folder:\n\n  lsq-sync init FOLDER",
        )
    chosen = region or "in21"
    try:
        files = _write(root, name or root.resolve().name or "my-account", chosen)
    except OSError as error:
        raise StorageError(f"{root} cannot be written: {error.strerror}") from None
    return Made(files, None if region else chosen)


def _write(root: Path, name: str, region: str) -> tuple[str, ...]:
    contents = {
        SETTINGS: settings_text(name, region),
        "specs/example.yaml": _EXAMPLE.format(schemas="schemas"),
        "schemas/spec.schema.json": schema_text("spec.schema.json"),
        "schemas/types/.gitkeep": "",
    }
    made = [file for file, text in contents.items() if _create(root / file, text)]
    for file, wanted in ((".gitignore", _IGNORED), (".gitattributes", _ATTRIBUTES)):
        if _add_line(root / file, wanted):
            made.append(file)
    return tuple(made)


def settings_text(name: str, region: str) -> str:
    """Commented settings for an account."""
    async_host, host = region_hosts(region)
    return _SETTINGS.format(
        name=_yaml_text(name),
        region=region,
        regions=", ".join(REGIONS),
        async_host=async_host,
        host=host,
    )


def _yaml_text(text: str) -> str:
    return text if text.replace("-", "").replace("_", "").isalnum() else f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _create(path: Path, text: str) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return False
    path.write_text(text, encoding="utf-8")
    return True


def _add_line(path: Path, wanted: str) -> bool:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if wanted in text.splitlines():
        return False
    glue = "" if not text or text.endswith("\n") else "\n"
    path.write_text(f"{text}{glue}{wanted}\n", encoding="utf-8")
    return True
