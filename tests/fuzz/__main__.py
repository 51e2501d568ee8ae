"""`python -m tests.fuzz`: every door for its share of some minutes, one after the other; says what came of it."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.fuzz.corpus import corpus, dictionary
from tests.fuzz.targets import DOORS, LONGEST, USUALLY

FOLDER = Path("target/fuzz")
#: Seconds of one input, and MiB of the process, beyond which it is a finding.
_SECONDS, _MEBIBYTES = 10, 1_024
_STAT = re.compile(rb"stat::(\w+):\s+(\d+)")
_COVERED = re.compile(rb"cov: (\d+) ft: (\d+) corp: (\d+)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="of all doors together")
    parser.add_argument("--door", choices=[*DOORS], action="append", help="this one alone; may be repeated")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.jsonl", help="a line for each door")
    arguments = parser.parse_args()
    doors = arguments.door or [*DOORS]
    words = FOLDER / "words"
    FOLDER.mkdir(parents=True, exist_ok=True)
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in dictionary()))
    failed = [door for door in doors if not _run(door, arguments.minutes * 60 / len(doors), words, arguments.results)]
    print(f"fuzz: {len(doors)} doors, of which {len(failed)} failed{': ' * bool(failed)}{', '.join(failed)}")
    return 1 if failed else 0


def _escaped(word: bytes) -> str:
    return "".join(chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word)


def _run(door: str, seconds: float, words: Path, results: Path) -> bool:
    """One door; whether it held. What it has learnt is kept, and what failed it."""
    learnt, begins, found = (FOLDER / kind / door for kind in ("learnt", "corpus", "found"))
    for folder in (learnt, begins, found):
        folder.mkdir(parents=True, exist_ok=True)
    for one in corpus(door):
        (begins / hashlib.sha256(one).hexdigest()[:16]).write_bytes(one)
    options = [
        f"-max_total_time={max(int(seconds), 1)}",
        f"-timeout={_SECONDS}",
        f"-rss_limit_mb={_MEBIBYTES}",
        f"-max_len={LONGEST.get(door, USUALLY)}",
        f"-dict={words}",
        f"-artifact_prefix={found}/",
        "-print_final_stats=1",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.child", door, *options, str(learnt), str(begins)],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PARCELWATCH_LOG_LEVEL": "critical"},
    )
    (found / "said").write_bytes(done.stdout)
    told: dict[str, Any] = {name.decode(): int(number) for name, number in _STAT.findall(done.stdout)}
    covered = _COVERED.findall(done.stdout)
    row = {
        "door": door,
        "executions": told.get("number_of_executed_units", 0),
        "covered": int(covered[-1][0]) if covered else 0,
        "inputs": int(covered[-1][2]) if covered else 0,
        "mebibytes": told.get("peak_rss_mb", 0),
        "held": not done.returncode,
    }  # fmt: skip
    with results.open("a") as out:
        out.write(json.dumps(row) + "\n")
    print(f"{door}: {row['executions']:,} executions, {row['covered']:,} places covered", flush=True)
    if done.returncode:
        told_of = done.stdout.decode(errors="replace").partition(" === Uncaught")
        print((told_of[1] + told_of[2] or told_of[0])[-4_000:])
    return not done.returncode


if __name__ == "__main__":
    sys.exit(main())
