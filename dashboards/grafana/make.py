"""Makes the dashboards: `make.py` writes `dashboards/*.json`, `make.py --check` says which differ."""

import json
import pathlib
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from source import canteen, centre, devices, fleet, rooms, uplink

FOLDER = pathlib.Path(__file__).parent / "dashboards"


def text(board):
    """The file of a dashboard: everything in it is known to Grafana's schema."""
    made = json.dumps(board, cls=JSONEncoder, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    again = json.dumps(
        Dashboard.from_json(json.loads(made)), cls=JSONEncoder, ensure_ascii=False, indent=2, sort_keys=True
    )
    if again + "\n" != made:
        raise SystemExit(f"{board.uid}: something in it is unknown to Grafana's schema")
    return made


def main():
    """Writes or checks every file."""
    boards = [part.make() for part in (fleet, centre, devices, uplink, canteen, rooms)]
    files = {FOLDER / f"{board.uid}.json": text(board) for board in boards}
    if sys.argv[1:] != ["--check"]:
        for path, made in files.items():
            path.write_text(made, encoding="utf-8")
    differ = [
        path for path, made in files.items() if not path.exists() or path.read_text(encoding="utf-8") != made
    ]
    differ += [path for path in FOLDER.glob("*.json") if path not in files]
    for path in sorted(differ):
        print(f"{path.name} is not what make.py makes: run `cargo xtask dashboards`")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
