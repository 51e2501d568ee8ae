"""`python -m bench`: measures every section of docs/performance.md again, one after the other.

Each section runs in a process of its own and leaves its result as JSON; that one fails keeps none of the others from
being measured. After a full run the document's tables and plots are made of the results (`python -m bench.report`).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from bench import report
from bench.install import ROOT
from bench.section import RESULTS, folder, options, say
from bench.sections import SECTIONS

#: Seconds beyond its own limit after which a section is killed.
_GRACE = 120


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=(__doc__ or "").split("\n\n")[0],
        epilog="\n".join(f"{section.name:12}{section.what}" for section in SECTIONS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="which of those below (default: all)")
    options(parser)
    asked = parser.parse_args(given)
    if unknown := set(asked.sections) - {section.name for section in SECTIONS}:
        parser.error(f"no section is called {sorted(unknown)[0]}")
    return asked


def main(given: list[str] | None = None) -> int:
    asked = arguments(given)
    failed = []
    begun = time.monotonic()
    for section in SECTIONS:
        if asked.sections and section.name not in asked.sections:
            continue
        say(f"== {section.name}: {section.what}")
        command = [sys.executable, "-m", "bench.section", section.name, "--out", str(folder(asked).absolute())]
        command += ["--divide", str(asked.divide), "--quiet-for", str(asked.quiet_for), *(["--ours"] * asked.ours)]
        command += [*(f"--only={name}" for name in asked.only), *([f"--rounds={asked.rounds}"] if asked.rounds else [])]
        began = time.monotonic()
        try:
            status = subprocess.run(command, check=False, cwd=ROOT, timeout=section.minutes * 60 + _GRACE).returncode
        except subprocess.TimeoutExpired:
            status = 1
        if status:
            failed.append(section.name)
        say(f"== {section.name}: {'failed' if status else 'done'} after {time.monotonic() - began:.0f} s")
    if folder(asked) == RESULTS:
        report.write()
    else:
        print(report.shown(folder(asked)))
    say(f"all after {(time.monotonic() - begun) / 60:.1f} minutes"
        + (f", failed: {', '.join(failed)}" if failed else ""))  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
