"""The search for tracks: numbers for pieces so that those in each other's way keep their distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_MOST_STEPS = 2_000  # rows that fit took 41 at most: more are spent on what does not fit


def find(
    options: Sequence[Sequence[int]], apart: Mapping[tuple[int, int], int], equal: Mapping[int, int]
) -> list[int] | None:
    """A track for each piece: one of its ``options``, the best first; None if there is none (or none found).

    ``apart[i, j]`` (i < j): by how many tracks two pieces differ at least; ``equal[i]`` must have i's track.
    Depth first, the piece with the fewest tracks left comes next, and what it takes from others goes at once.
    A piece's tracks are the bits of a number: this search takes most of the time that wiring takes.
    """
    count = len(options)
    near: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for (i, j), distance in apart.items():
        near[i].append((j, distance))
        near[j].append((i, distance))
    taken = {
        (track, distance): sum(1 << k for k in range(max(0, track - distance + 1), track + distance))
        for distance in {0, *apart.values()}
        for track in {track for mine in options for track in mine}
    }
    found: list[int | None] = [None] * count
    steps = 0

    def search(left: list[int], open_: list[int]) -> bool:
        nonlocal steps
        if not open_:
            return True
        piece = min(open_, key=lambda i: (left[i].bit_count(), -len(near[i])))
        others = [i for i in open_ if i != piece]
        for track in options[piece]:
            if not left[piece] >> track & 1:
                continue
            steps += 1
            if steps > _MOST_STEPS:
                return False
            found[piece] = track
            after = left.copy()
            after[piece] = 1 << track
            if piece in equal:
                after[equal[piece]] &= 1 << track
            for other, distance in near[piece]:
                after[other] &= ~taken[track, distance]
            if all(after[i] for i in open_) and search(after, others):
                return True
            found[piece] = None
        return False

    start = [sum(1 << track for track in set(mine)) for mine in options]
    return [track for track in found if track is not None] if search(start, list(range(count))) else None
