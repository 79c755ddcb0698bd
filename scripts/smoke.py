"""What an installed wheel has to do, on a machine that has nothing but Python: ``python -P scripts/smoke.py``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

PARAGRAPH = ("The harbour office opens at seven on weekdays, and whoever wants to moor a boat there has to ask for a berth "
             "by noon of the day before.")
PAGE = f"<html><body><h1>Harbour</h1><p>{PARAGRAPH}</p><p>Ferries leave every hour.</p><p>{PARAGRAPH}</p></body></html>"


def dedup(*arguments: str, folder: str, status: int = 0) -> str:
    """What the command prints; it has to end with `status`."""
    command = [sys.executable, "-P", "-m", "dedup", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == status, (arguments, done.returncode, done.stderr)
    return done.stdout


def main() -> None:
    import dedup as package
    from dedup.kernel import kernel

    checkout = Path(__file__).resolve().parents[1] / "dedup"
    assert Path(package.__file__).resolve().parent != checkout, "this is the checkout, not what is installed"
    assert kernel.name == "native", f"the kernel is {kernel.name}"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "site").mkdir()
        for name in ("one.html", "two.html"):
            (place / "site" / name).write_text(PAGE, encoding="utf-8")
        (place / "news.txt").write_text(f"{PARAGRAPH}\n\nSomething else.\n\n{PARAGRAPH}\n", encoding="utf-8")
        assert dedup("--version", folder=folder) == f"dedup {version('dedup-toolkit')}\n"
        (group,) = json.loads(dedup("scan", "news.txt", "--format", "json", folder=folder))["groups"]
        assert [place["line"] for place in group["occurrences"]] == [1, 5], group
        dedup("scan", "site", "-o", "r.html", "-o", "r.sarif", "-o", "r.md", "--fail-over", "5%", folder=folder, status=1)
        assert json.loads((place / "r.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
        assert "<html" in (place / "r.html").read_text(encoding="utf-8")
        dedup("compare", "site/one.html", "news.txt", folder=folder)
        dedup("clean", "site", "-o", "cleaned", "--for", "corpus", folder=folder)
        dedup("restore", "cleaned/dedup-manifest.jsonl", "-o", "back", folder=folder)
        assert (place / "back" / "two.html").read_bytes() == (place / "site" / "two.html").read_bytes()
    print(f"smoke: passed, kernel {kernel.name}, Python {sys.version.split()[0]}, {sys.platform}")


if __name__ == "__main__":
    main()
