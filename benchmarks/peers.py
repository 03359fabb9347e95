"""What the tool is compared with, each given as many records: octoDNS, Terraform, check-jsonschema.

One that is not there is left out of the tables. octoDNS and check-jsonschema come with the extra
`bench`; Terraform is used where it is installed.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import Case, program, run_once

_ZONE_SIZE = 1_000
_TTL = 300


# --- octoDNS: YAML files against YAML files


def octodns(key: str, root: Path, records: int, *, changed: bool = False) -> Iterator[Case]:
    """It finds that there is nothing to do for zones of a thousand A records, or something for
    each. It changes nothing: that would take another option."""
    if path := program("octodns-sync"):
        root.mkdir(parents=True)
        in_a_zone = min(records, _ZONE_SIZE)
        _write_zones(root, records // in_a_zone, in_a_zone, target_ttl=600 if changed else _TTL)
        command = (path, "--quiet", "--config-file", str(root / "config.yaml"))
        if changed:
            yield Case(key, (*command, "--force"), f"Updates={in_a_zone}")
        else:
            yield Case(key, command, "No changes were planned")


def _write_zones(root: Path, zones: int, records: int, target_ttl: int) -> None:
    """As source and as target, in the order of names that octoDNS asks for."""
    chance = random.Random(records)
    names = [f"zone-{number:04}.test." for number in range(zones)]
    for name in names:
        listed = "".join(_a_record(number, chance) for number in range(records))
        for folder, ttl in (("source", _TTL), ("target", target_ttl)):
            (root / folder).mkdir(exist_ok=True)
            text = listed.replace(f"ttl: {_TTL}\n", f"ttl: {ttl}\n")
            (root / folder / f"{name}yaml").write_text(f"---\n{text}", encoding="utf-8")
    kind = "octodns.provider.yaml.YamlProvider"
    providers = {
        name: {"class": kind, "directory": str(root / name)} for name in ("source", "target")
    }
    each = {"sources": ["source"], "targets": ["target"]}
    settings = json.dumps({"providers": providers, "zones": dict.fromkeys(names, each)})
    (root / "config.yaml").write_text(settings, encoding="utf-8")


def _a_record(number: int, chance: random.Random) -> str:
    name = f"record-{number:04}-{chance.getrandbits(128):032x}"
    address = ".".join(["10", *(str(chance.randrange(256)) for _ in range(3))])
    return f"{name}:\n  ttl: {_TTL}\n  type: A\n  value: {address}\n"


# --- Terraform: its built-in resource, a record as one JSON text, which it plans quickest


def terraform(key: str, root: Path, records: int) -> Iterator[Case]:
    """It finds that there is nothing to do for resources that were applied before."""
    if path := program("terraform"):
        root.mkdir(parents=True)
        chance = random.Random(records)
        listed = {f"record-{number:05}": _fields(chance) for number in range(records)}
        each = {"for_each": "${local.records}", "input": "${each.value}"}
        content = {"locals": {"records": listed}, "resource": {"terraform_data": {"record": each}}}
        (root / "main.tf.json").write_text(json.dumps(content), encoding="utf-8")
        begin = (path, f"-chdir={root}")
        for words in (("init",), ("apply", "-auto-approve")):
            run_once(Case(key, (*begin, *words, "-input=false", "-no-color")))
        yield Case(key, (*begin, "plan", "-input=false", "-no-color"), "No changes.")


def _fields(chance: random.Random) -> str:
    fields = {
        f"mx_Custom_{number}": f"value {chance.randrange(10**8):08}" for number in range(1, 9)
    }
    return json.dumps(fields)


# --- check-jsonschema


def check_jsonschema(key: str, schema: Path, specs: Path) -> Iterator[Case]:
    """It validates these files."""
    if path := program("check-jsonschema"):
        files = map(str, sorted(specs.glob("*.yaml")))
        yield Case(key, (path, "--schemafile", str(schema), *files), "ok -- validation done")
