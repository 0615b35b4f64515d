"""Whether a directory may be used for a campaign, found out without touching it."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from glasscreep import __version__
from glasscreep.campaign.analysis_section import key_of
from glasscreep.campaign.job_names import CAMPAIGN_FILE
from glasscreep.campaign.problems import RefusedError, dotted, toml_text
from glasscreep.campaign.sections import Campaign
from glasscreep.campaign.snapshot import read_snapshot
from glasscreep.tasks.blocks import array_names
from glasscreep.tasks.errors import DamagedError, NewerError
from glasscreep.tasks.observable import Result, plain
from glasscreep.tasks.opening import METADATA, open_array, open_readable
from glasscreep.tasks.places import RUNS, STORE
from glasscreep.tasks.schemas import demand_known_schema

SCHEMA = 1
LEFT_BY_A_CRASH = {"lock", f"{CAMPAIGN_FILE}.partial"}
SHOWN = 5


class DirectoryError(RefusedError):
    """A directory that can't be used for the campaign at hand."""


def read_campaign(directory: Path) -> Campaign:
    """Read what a campaign directory was last asked for.

    Raises
    ------
    DirectoryError
        If it holds no campaign.
    NewerError
        If a later version wrote it, as its schema says; or if it has a key that is not known here.
    DamagedError
        If it describes no campaign, or is lost though the store is there.
    """
    path = directory / CAMPAIGN_FILE
    try:
        content = json.loads(path.read_bytes())
        demand_known_schema(path, _schema_of(content), SCHEMA)
        return Campaign.model_validate(content["campaign"])
    except (FileNotFoundError, NotADirectoryError) as error:
        if (directory / STORE).is_dir():
            msg = (
                f"{path} is lost. Give `glasscreep run` the campaign's own file again: it writes it "
                "anew."
            )
            raise DamagedError(msg) from error
        msg = (
            f"{directory} holds no campaign. Name the directory of one, "
            "or start one with `glasscreep run CAMPAIGN.toml`."
        )
        raise DirectoryError(msg) from error
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, ValidationError) and (unknown := _unknown_keys(error)):
            raise NewerError(_newer(path, unknown)) from error
        msg = (
            f"{path} is damaged: it does not describe a campaign. Remove it, then give "
            "`glasscreep run` the campaign's own file again: it writes it anew."
        )
        raise DamagedError(msg) from error


def demand_no_newer(directory: Path) -> None:
    """Refuse a campaign that a later version has worked on; whoever needs them says what is damaged.

    Raises
    ------
    NewerError
        Naming the first of its files whose schema is a later one.
    """
    read_snapshot(directory)
    path = directory / CAMPAIGN_FILE
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return
    demand_known_schema(path, _schema_of(content), SCHEMA)


def _schema_of(content: object) -> object:
    return content.get("schema") if isinstance(content, dict) else None


def _unknown_keys(error: ValidationError) -> list[str]:
    """Name the keys that no version up to this one has."""
    return [dotted(each["loc"]) for each in error.errors() if each["type"] == "extra_forbidden"]


def _newer(path: Path, unknown: list[str]) -> str:
    keys = f"the key {unknown[0]}" if len(unknown) == 1 else f"the keys {', '.join(unknown)}"
    return (
        f"{path} has {keys}, which glasscreep {__version__} does not know: a newer version wrote "
        "it, or it was edited. Take that version (`pip install --upgrade glasscreep`); or take out "
        "what was put in; or remove the file, and give `glasscreep run` the campaign's own file "
        "again, which writes it anew."
    )


def encode_campaign(campaign: Campaign) -> bytes:
    """Write down what a campaign directory is asked for."""
    content = {"schema": SCHEMA, "campaign": campaign.model_dump(mode="json")}
    return (json.dumps(content, indent=1) + "\n").encode()


def store_attributes(campaign: Campaign) -> dict[str, Any]:
    """Attributes of a campaign's store: its name and all that decides its runs."""
    return {
        "title": campaign.name,
        "units_style": campaign.model.units,
        "physics": _physics(campaign),
    }


def demand_compatible(campaign: Campaign, directory: Path) -> None:
    """Refuse a directory that this campaign must not use.

    Parameters
    ----------
    campaign : Campaign
        What is asked for.
    directory : Path
        Where; need not exist.

    Raises
    ------
    DirectoryError
        If the directory holds something else, another campaign, or runs of other physics.
    DamagedError
        If it holds runs but not the store that belongs to them.
    NewerError
        If a later version of glasscreep has worked on it.
    """
    if not directory.exists():
        return
    _demand_no_stranger(directory)
    demand_no_newer(directory)
    if (directory / STORE).exists():
        attributes = open_readable(directory / STORE).attrs
        if not {"title", "physics"} <= set(attributes):
            msg = (
                f"{directory / STORE} is no campaign's store. Choose another directory with --dir."
            )
            raise DirectoryError(msg)
        _demand_name(campaign, directory, str(attributes["title"]))
        _demand_physics(campaign, directory, cast("dict[str, Any]", attributes["physics"]))
        _demand_parameters(campaign.results_in(directory), directory / STORE)
        return
    if (directory / CAMPAIGN_FILE).exists():
        _demand_name(campaign, directory, read_campaign(directory).name)
    demand_no_lone_runs(directory)


def demand_no_lone_runs(directory: Path) -> None:
    """Refuse a directory that holds runs, but no store; DamagedError says so."""
    if any(_entries(directory / RUNS)) and not (directory / STORE).exists():
        msg = (
            f"{directory} holds runs, but their store {directory / STORE} is gone. Bring it back "
            "from a copy; without one the runs have to be made anew, in another directory."
        )
        raise DamagedError(msg)


def _entries(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir()) if directory.is_dir() else []


def _demand_no_stranger(directory: Path) -> None:
    if not directory.is_dir():
        msg = f"{directory} is not a directory. Give the campaign another one with --dir."
        raise DirectoryError(msg)
    if (directory / CAMPAIGN_FILE).exists() or (directory / STORE).exists():
        return
    if strange := [name for name in _entries(directory) if name not in LEFT_BY_A_CRASH]:
        shown = ", ".join(strange[:SHOWN]) + (", ..." if len(strange) > SHOWN else "")
        msg = (
            f"{directory} holds something else than a campaign: {shown}. Give the campaign an "
            "empty or a new directory with --dir, or another name. Nothing was changed."
        )
        raise DirectoryError(msg)


def _demand_name(campaign: Campaign, directory: Path, there: str) -> None:
    if there != campaign.name:
        msg = (
            f"{directory} holds the campaign {there}, not {campaign.name}. Give {campaign.name} "
            f"another directory with --dir, or write name = {toml_text(there)} into the campaign "
            "file if that is what you mean. Nothing was changed."
        )
        raise DirectoryError(msg)


def _demand_physics(campaign: Campaign, directory: Path, there: Mapping[str, Any]) -> None:
    held, asked = dict(_flat(there)), dict(_flat(_physics(campaign)))
    changed = [key for key in asked if held.get(key) != asked[key]]
    if not changed:
        return
    blocks = [_change(key, held.get(key), asked[key]) for key in changed]
    title = f"{directory} holds runs of other physics than the campaign file asks for:"
    ending = (
        "Runs of one campaign share their physics. Set these keys back, or start a new campaign "
        "with another name or another --dir. Nothing was changed."
    )
    raise DirectoryError("\n\n".join([title, *blocks, ending]))


def _demand_parameters(results: Iterable[Result], store: Path) -> None:
    group, blocks, arrays = open_readable(store), dict[str, str](), list[str]()
    for result in results:
        for name in array_names(result):
            if name not in group or not (store / name / METADATA).is_file():
                continue
            held = open_array(group, name).attrs.get("parameters", result.parameters)
            changes = list(_changed_parameters(result, cast("dict[str, Any]", held)))
            blocks |= {key: _change(key, there, asked) for key, there, asked in changes}
            arrays += [name] if changes else []
    if blocks:
        title = (
            f"{store.parent} holds results with other parameters than the campaign file asks for:"
        )
        ending = (
            "Set these back; or, to have the results computed anew, remove them first: "
            f"`{shlex.join(['glasscreep', 'forget', str(store.parent), *arrays])}`. Nothing was "
            "changed."
        )
        raise DirectoryError("\n\n".join([title, *blocks.values(), ending]))


def _changed_parameters(
    result: Result, held: Mapping[str, Any]
) -> Iterator[tuple[str, object, object]]:
    sources = {source.name: source for source in result.sources}
    for name, value in plain(result.parameters).items():
        if name in sources:
            yield from _changed_parameters(sources[name], held.get(name, {}))
        elif held.get(name) != value:
            yield key_of(result, name), held.get(name), value


def _change(key: str, there: object, asked: object) -> str:
    return f"  {key}\n    there    {toml_text(there)}\n    asked    {toml_text(asked)}"


def _physics(campaign: Campaign) -> dict[str, Any]:
    dump = campaign.model_dump(
        mode="json",
        include={
            "seed": True,
            "model": True,
            "glass": True,
            "creep": set(type(campaign.creep).model_fields) - {"steps"},
        },
    )
    if campaign.creep.loading == "hydrostatic":
        del dump["creep"]["axis"]
    # Where a file was found is no physics; what is in it is.
    dump["model"]["potential_files"] = [file.named() for file in campaign.model.attachments()]
    if (protocol := campaign.creep.physics().protocol) is not None:
        (file,) = campaign.creep.attachments()
        dump["creep"]["protocol"] = f"{protocol.function}:{file.named()}"
    return dump


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
