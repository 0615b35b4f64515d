"""The file of a model: a zip by skops that is looked through before anything is made of it.

skops makes objects of types by their names, and trusts all of scikit-learn. A model needs few of
them, so a file is refused unless every node of its tree is one that a fitted model has. What
skops had to mend (CVE-2024-37065, CVE-2025-54412, CVE-2025-54413) were nodes of methods,
operators and functions: none of those is among them.
"""

import io
import json
from collections.abc import Iterator
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

SCHEMA = "schema.json"
"""The member that skops reads first."""
HEAD = "glasscreep.json"
"""The member of ours, which skops does not look at."""
MOST_BYTES = 64 << 20
"""Of a whole file; one with ten estimators has half a megabyte."""
MOST_MEMBERS = 20_000
LEAST_PROTOCOL = 2
"""Of skops: older nodes are another code, which nothing of ours needs."""
TRUSTED = (
    "imblearn.ensemble._easy_ensemble.EasyEnsembleClassifier",
    "imblearn.pipeline.Pipeline",
    "imblearn.under_sampling._prototype_selection._random_under_sampler.RandomUnderSampler",
)
"""Types of a fitted model that skops does not trust by itself."""
_DATA = (
    ("DictNode", "builtins", "dict"),
    ("DictNode", "collections", "OrderedDict"),
    ("JsonNode", "builtins", "str"),
    ("ListNode", "builtins", "list"),
    ("NdArrayNode", "numpy", "float64"),
    ("NdArrayNode", "numpy", "int64"),
    ("NdArrayNode", "numpy", "ndarray"),
    ("TupleNode", "builtins", "tuple"),
    ("TypeNode", "builtins", "str"),
    ("TypeNode", "numpy", "int64"),
)
_OBJECTS = (
    *TRUSTED,
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing._data.StandardScaler",
)
NODES = frozenset(_DATA) | {("ObjectNode", *name.rsplit(".", 1)) for name in _OBJECTS}
"""Loader, module and class of every node that a fitted model has."""
ROOT = ("ObjectNode", "sklearn.pipeline", "Pipeline")


class UntrustedNodesError(ValueError):
    """A file holds what no model has."""


def pack(pipeline: object, head: dict[str, Any]) -> bytes:
    """Write a model as a file.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted.
    head : dict
        What JSON can hold.

    Returns
    -------
    bytes
        The same of the same model: neither times nor addresses of objects are in it.
    """
    import skops.io

    with ZipFile(io.BytesIO(skops.io.dumps(pipeline))) as written:
        schema = json.loads(written.read(SCHEMA))
        renamed = _renumber(schema)
        members = {new: written.read(old) for old, new in renamed.items()}
    texts = {HEAD: json.dumps(head, indent=1).encode(), SCHEMA: json.dumps(schema).encode()}
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for name, data in {**texts, **members}.items():
            archive.writestr(ZipInfo(name), data)
    return buffer.getvalue()


def read_head(data: bytes) -> Any:
    """Read what `pack` was given as head, and nothing else.

    Raises
    ------
    ValueError
        If the data are no such file, or one that would not fit in memory once read.
    """
    with _opened(data) as archive:
        if HEAD not in archive.namelist():
            msg = f"it is a zip without {HEAD}, which every model of glasscreep has"
            raise ValueError(msg)
        return json.loads(archive.read(HEAD))


def unpack(data: bytes) -> Any:
    """Make the fitted pipeline that a file holds, once all of it is seen to be harmless.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    sklearn.pipeline.Pipeline

    Raises
    ------
    UntrustedNodesError
        If there are nodes other than `NODES`; they are named, and nothing was made.
    Exception
        Whatever skops and scikit-learn raise of data that are damaged.
    """
    with _opened(data) as archive:
        schema = json.loads(archive.read(SCHEMA))
    if not isinstance(schema, dict) or schema.get("protocol", 0) < LEAST_PROTOCOL:
        msg = f"its {SCHEMA} is not one of skops protocol {LEAST_PROTOCOL} or later"
        raise ValueError(msg)
    found = [_kind(node) for node in _nodes(schema)]
    if strange := sorted(set(found) - NODES):
        msg = ", ".join(f"{module}.{name} ({loader})" for loader, module, name in strange)
        raise UntrustedNodesError(msg)
    if not found or found[0] != ROOT:
        msg = "it does not hold a pipeline of scikit-learn"
        raise ValueError(msg)
    return _construct(data)


def _construct(data: bytes) -> Any:
    import warnings

    import skops.io
    from sklearn.exceptions import InconsistentVersionWarning

    with warnings.catch_warnings():
        # Only coefficients and scales are used, and these mean the same in all versions.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        return skops.io.loads(data, trusted=TRUSTED)


def _opened(data: bytes) -> ZipFile:
    """Open a zip that can't be larger in memory than it is as a file."""
    try:
        archive = ZipFile(io.BytesIO(data))
    # zipfile calls a zip of a later format, which a wrong byte may make of any, not implemented.
    except (BadZipFile, ValueError, NotImplementedError) as error:
        msg = f"it is no zip, or a damaged one ({error})"
        raise ValueError(msg) from error
    members = archive.infolist()
    if any(member.compress_type != ZIP_STORED for member in members):
        msg = "its members are compressed, which those of a model are not"
        raise ValueError(msg)
    total = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or total > len(data):
        msg = f"it claims {len(members)} members of {total} bytes in a file of {len(data)}"
        raise ValueError(msg)
    return archive


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Go through all that skops could take for a node, wherever it stands."""
    if isinstance(tree, dict):
        if "__loader__" in tree:
            yield tree
        for branch in tree.values():
            yield from _nodes(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from _nodes(branch)


def _kind(node: dict[str, Any]) -> tuple[str, str, str]:
    loader, module, name = (str(node.get(f"__{key}__")) for key in ("loader", "module", "class"))
    return loader, module, name


def _renumber(schema: dict[str, Any]) -> dict[str, str]:
    """Give objects numbers in the order of the tree, not addresses; map old names of files to new."""
    numbers: dict[int, int] = {}
    names: dict[str, str] = {}
    for node in _nodes(schema):
        if "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if "file" in node:
            node["file"] = names.setdefault(node["file"], f"{len(names) + 1}.npy")
    return names
