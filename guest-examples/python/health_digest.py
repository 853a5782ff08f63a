"""Makes a digest of what became worse in the cluster, with a score to sort it by.

Event:      OnHealthDegrade
Parameters: oldStatus, newStatus; checks, a list of {"name", "severity", "count"}
Settings:   URGENT_SCORE, in the hook's own environment: from which score on the
            digest is urgent (default: 50).
Leaves:     a verdict {"allow": true, "digest": {...}}, and the digest as text.
"""

import json
import statistics
from collections import Counter

import tenterhook

# How many points one affected thing is worth.
POINTS = {"HEALTH_ERR": 10, "HEALTH_WARN": 1}

# Checks beyond these are left out, and the digest says so.
CHECKS_MAX = 200


def count_of(check):
    """How many things a check counts; one if it does not say."""
    count = check.get("count")
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 1


def severity_of(check):
    """How bad a check is, such as HEALTH_WARN."""
    severity = check.get("severity")
    return severity if isinstance(severity, str) else "unknown"


def digest_of(old, new, checks):
    """The digest, a dict. Whatever is no check is left out and counted."""
    known = [c for c in checks if isinstance(c, dict) and isinstance(c.get("name"), str)]
    kept = known[:CHECKS_MAX]
    counts = [count_of(c) for c in kept]
    by_severity = Counter()
    for check, count in zip(kept, counts):
        by_severity[severity_of(check)] += count
    worst = max(
        zip(kept, counts),
        key=lambda pair: (POINTS.get(severity_of(pair[0]), 0), pair[1]),
        default=(None, 0),
    )[0]
    return {
        "from": old,
        "to": new,
        "affected": sum(counts),
        "bySeverity": dict(sorted(by_severity.items())),
        "median": statistics.median(counts) if counts else 0,
        "spread": round(statistics.pstdev(counts), 2) if counts else 0,
        "worst": worst["name"] if worst else None,
        "score": sum(POINTS.get(s, 0) * n for s, n in by_severity.items()),
        "leftOut": len(checks) - len(kept),
    }


@tenterhook.hook
def Run():
    checks = json.loads(tenterhook.param("checks", "[]"))
    if not isinstance(checks, list):
        raise ValueError("checks is no list")
    urgent = tenterhook.setting("URGENT_SCORE", "50")
    if not urgent.isdecimal():
        raise ValueError(f"URGENT_SCORE is no number: {urgent}")

    digest = digest_of(
        tenterhook.param("oldStatus", "?"), tenterhook.param("newStatus", "?"), checks
    )
    digest["urgent"] = digest["score"] >= int(urgent)

    print(f"{digest['from']} -> {digest['to']}, score {digest['score']}")
    for severity, count in digest["bySeverity"].items():
        print(f"  {severity:<12} {count:>6}")
    print(f"  per check: median {digest['median']:g}, spread {digest['spread']:g}")
    if digest["urgent"]:
        tenterhook.log("warn", "the cluster needs somebody now", score=digest["score"])
    tenterhook.allow(digest=digest)
