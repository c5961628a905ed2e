"""The search for tracks: numbers for pieces so that those in each other's way keep their distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_MOST_STEPS = 50_000


def find(
    options: Sequence[Sequence[int]], apart: Mapping[tuple[int, int], int], equal: Mapping[int, int]
) -> list[int] | None:
    """A track for each piece: one of its ``options``, the best first; None if there is none (or none found).

    ``apart[i, j]`` (i < j): by how many tracks two pieces differ at least; ``equal[i]`` must have i's track.
    Depth first, the piece with the fewest tracks left comes next, and what it takes from others goes at once.
    """
    count = len(options)
    near: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for (i, j), distance in apart.items():
        near[i].append((j, distance))
        near[j].append((i, distance))
    ranked = [{track: k for k, track in enumerate(mine)} for mine in options]
    found: list[int | None] = [None] * count
    steps = 0

    def search(left: list[set[int]]) -> bool:
        nonlocal steps
        open_ = [i for i in range(count) if found[i] is None]
        if not open_:
            return True
        piece = min(open_, key=lambda i: (len(left[i]), -len(near[i])))
        for track in sorted(left[piece], key=ranked[piece].__getitem__):
            steps += 1
            if steps > _MOST_STEPS:
                return False
            found[piece] = track
            after = [set(tracks) for tracks in left]
            after[piece] = {track}
            if piece in equal:
                after[equal[piece]] &= {track}
            for other, distance in near[piece]:
                after[other] -= set(range(track - distance + 1, track + distance))
            if all(after[i] for i in open_) and search(after):
                return True
            found[piece] = None
        return False

    done = search([set(mine) for mine in options])
    return [track for track in found if track is not None] if done else None
