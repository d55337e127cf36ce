"""What a run is to do: where, which notebooks, with which parameters, on which recordings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclegan_lib.config import DEVICE_A, DEVICE_B
from cyclegan_lib.runs.notebooks import parameters_of
from cyclegan_lib.runs.parameters import OWN_RECORDINGS, RESERVED
from cyclegan_lib.workspace import Workspace


@dataclass(frozen=True)
class Plan:
    """A run that can be handed to another process.

    Attributes
    ----------
    folder : Path
        runs/NAME.
    notebooks : tuple of Path
        As they are in the project's notebooks/.
    given : dict
        Checked parameters; paths are absolute.
    data : Path
        Simulated recordings and their feature sets.
    command : str
        The command line that repeats it.
    go_on : str
        The command line that goes on after a failure.
    """

    folder: Path
    notebooks: tuple[Path, ...]
    given: dict[str, Any]
    data: Path
    command: str
    go_on: str

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def values(self) -> dict[str, dict[str, Any]]:
        """All parameters by notebook, given ones and defaults, but for the run's own folder."""
        found = {}
        for notebook in self.notebooks:
            declared = parameters_of(notebook).values()
            values = {p.name: self.given.get(p.name, p.default) for p in declared if p.name != RESERVED}
            found[notebook.stem] = values | ({"data_dir": str(self.data)} if "data_dir" in values else {})
        return found

    def injected(self, notebook: Path) -> dict[str, Any]:
        """The parameters that papermill hands to a notebook: the given ones, and the folders."""
        values = {**self.given, "data_dir": str(self.data), RESERVED: str(self.folder)}
        declared = parameters_of(notebook)
        return {name: value for name, value in values.items() if name in declared}

    def inputs(self) -> dict[str, Path]:
        """The feature sets that it uses and that exist by now."""
        simulated = Workspace(data=self.data, run=self.folder)
        paths = {
            "domain_a": simulated.features(DEVICE_A),
            "domain_b": simulated.features(DEVICE_B),
            "test_a": simulated.features(DEVICE_A, "test"),
            "test_b": simulated.features(DEVICE_B, "test"),
        }
        own = {name: Path(self.given[name]) for name in OWN_RECORDINGS if self.given.get(name)}
        return {name: path for name, path in (paths | own).items() if path.exists()}
