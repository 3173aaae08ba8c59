"""How far procedural signing is from real signing, and in what: a classifier tells windows of one from the other.

    python scripts/quality/domain_gap.py FOLDER [--recipes sign-tcn-default sign-tcn-filmed] [--windows 200]
    python scripts/quality/domain_gap.py FOLDER --features 5      # and what tells them apart, group by group

FOLDER holds the real collections (`scripts.real.sets`); their labels are not used. Windows of 20 frames at 25 a second:
as many of each real collection as of any other, turned around where the left hand is active, and as many procedural
ones as real ones, as a training by the recipe would see them (its signer, camera, estimator and augmentation, of worlds
that are not trained on). `--set` changes the recipes as in `spotter train`.

For each group of features, and for all together, the area under the ROC curve of gradient-boosted trees, three folds,
no recording in two of them: 0.5 means that they cannot be told apart, 1 that they always can. Real collections differ
from each other as well (camera, task, signers): `--real` adds a row of a classifier that tells one real collection from
the others, the mean over collections, which is about what perfect imitations of recordings nobody has seen would reach.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Clip
from embeddings.encoders.sign_tcn import SignTCN, SignTCNConfig
from embeddings.handedness import right_handed
from embeddings.pose.features import body_hands
from embeddings.training.batches import Draw, numbers
from embeddings.training.material import MATERIALS
from embeddings.training.recipes import read_recipe
from embeddings.training.settings import Recipe
from embeddings.training.sources import open_source
from scripts.real.sets import real_sets, unlabelled_sets

Array = NDArray[np.floating]

WINDOW = 20
FPS = 25.0
FINGERTIPS = [4, 8, 12, 16, 20]
FINGERS = np.arange(1, 21).reshape(5, 4)
MOVING = ("left", "right")


@dataclass(frozen=True, eq=False)
class Window:
    """Twenty frames of somebody.

    Attributes:
        body: (T, 7, 2) as `BodyHands.body`; hands: (T, 2, 21, 2); present: (T, 2) bool.
        recording: windows of one recording are never in two folds.
    """

    body: Array
    hands: Array
    present: NDArray[np.bool_]
    recording: str

    @property
    def wrists(self) -> Array:
        """(T, 2, 2) left and right wrist of the body, shoulder widths from the neck."""
        return self.body[:, 5:7]


def window_of(values: Array, recording: str) -> Window:
    """From an encoder's inputs (20, 100)."""
    body, hands = values[:, :14].reshape(-1, 7, 2), values[:, 14:98].reshape(-1, 2, 21, 2)
    return Window(body, hands, values[:, 98:] > 0.5, recording)


def windows_of(clip: Clip, rng: np.random.Generator, most: int) -> list[Window]:
    """Up to `most` windows of a clip at random places; none of a clip that is too short or shows nobody."""
    if clip.pose is None:
        return []
    try:
        values = body_hands(right_handed(clip).pose.resample(FPS)).flat()  # type: ignore[union-attr]
    except ValueError:  # some clips show an empty chair
        return []
    free = len(values) - WINDOW
    if free < 0:
        return []
    starts = rng.permutation(np.arange(0, free + 1, WINDOW // 2))[:most]
    return [window_of(values[s : s + WINDOW], clip.name) for s in starts]


# --- features: name → value of one window; NaN where there is nothing to measure --------------------------------

Features = dict[str, float]


def _quantiles(name: str, values: Array, at: Sequence[float] = (0.1, 0.5, 0.9)) -> Features:
    values = values[np.isfinite(values)]
    return {f"{name} {round(100 * q)} %": float(np.quantile(values, q)) if len(values) else np.nan for q in at}


def hand_shapes(window: Window) -> Features:
    """Of the frame nearest to the middle that shows the hand: joints in the palm's own axes, bends, tips apart."""
    row: Features = {}
    for h, side in enumerate(MOVING):
        shown = np.flatnonzero(window.present[:, h])
        hand = np.full((21, 2), np.nan)
        if len(shown):
            hand = window.hands[shown[np.argmin(np.abs(shown - WINDOW // 2))], h].astype(float)
        along = hand[9]
        length = max(float(np.hypot(*along)), 1e-3) if len(shown) else np.nan
        axes = np.array([[along[1], -along[0]], [along[0], along[1]]]) / length
        own = hand @ axes.T / length
        row |= {f"{side} joint {j} {axis}": float(own[j, k]) for j in range(1, 21) for k, axis in enumerate("xy")}
        bones = np.diff(np.concatenate([np.zeros((5, 1, 2)), own[FINGERS]], axis=1), axis=1)
        bones = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-3)
        bends = (bones[:, 1:] * bones[:, :-1]).sum(axis=-1)
        row |= {f"{side} bend {f}.{k}": float(bends[f, k]) for f in range(5) for k in range(3)}
        row[f"{side} direction x"], row[f"{side} direction y"] = (float(v) for v in along / length)
    return row


def _runs(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Lengths of the stretches of a mask (T,) that are true, in order."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(int)))
    return edges[1::2] - edges[::2]


def _smoothed(wrist: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A wrist's path (T, 2) as means of three frames (T - 2, 2), and its speed a second between them (T - 3,)."""
    path = np.stack([np.convolve(axis, np.ones(3) / 3, "valid") for axis in wrist.astype(float).T], 1)
    return path, np.linalg.norm(np.diff(path, axis=0), axis=1) * FPS


def presence(window: Window) -> Features:
    """How much of each hand is seen, in how many runs, and how high the wrist is where it is not."""
    row: Features = {"neither": float((~window.present).all(axis=1).mean())}
    for h, side in enumerate(MOVING):
        seen = window.present[:, h]
        gaps = _runs(~seen)
        row[f"{side} seen"], row[f"{side} gaps"] = float(seen.mean()), float(len(gaps))
        row[f"{side} longest gap"] = float(gaps.max()) if len(gaps) else 0.0
        depth = window.wrists[:, h, 1]
        row[f"{side} depth unseen"] = float(np.median(depth[~seen])) if (~seen).any() else np.nan
        row[f"{side} depth seen"] = float(np.median(depth[seen])) if seen.any() else np.nan
    return row


def paths(window: Window) -> Features:
    """Where the wrists are, how fast they go, and how straight."""
    row: Features = {}
    for h, side in enumerate(MOVING):
        path = window.wrists[:, h].astype(float)
        step = np.diff(path, axis=0) * FPS
        speed = np.linalg.norm(step, axis=1)
        row |= _quantiles(f"{side} x", path[:, 0]) | _quantiles(f"{side} y", path[:, 1])
        row |= _quantiles(f"{side} speed", speed, (0.1, 0.5, 0.9, 1.0))
        row |= _quantiles(f"{side} acceleration", np.linalg.norm(np.diff(step, axis=0), axis=1) * FPS, (0.5, 0.9))
        length = float(speed.sum() / FPS)
        row[f"{side} path"] = length
        row[f"{side} straightness"] = float(np.linalg.norm(path[-1] - path[0])) / max(length, 1e-3)
    return row


def pauses(window: Window) -> Features:
    """How much of the time a hand is still, at three speeds, and how long at once."""
    row: Features = {}
    for h, side in enumerate(MOVING):
        _, speed = _smoothed(window.wrists[:, h])
        for limit in (0.3, 0.8, 2.0):
            still = speed < limit
            runs = _runs(still)
            row[f"{side} slower than {limit}"] = float(still.mean())
            row[f"{side} longest below {limit}"] = float(runs.max()) if len(runs) else 0.0
    return row


def rhythm(window: Window) -> Features:
    """How often the hands slow down: co-articulation shows in how long from one stop to the next."""
    row: Features = {}
    for h, side in enumerate(MOVING):
        path, speed = _smoothed(window.wrists[:, h])
        slow = np.flatnonzero(
            (speed[1:-1] <= speed[:-2]) & (speed[1:-1] < speed[2:]) & (speed[1:-1] < 0.5 * speed.max())
        )
        row[f"{side} stops"] = float(len(slow))
        row[f"{side} between stops"] = float(np.diff(slow).mean()) if len(slow) > 1 else np.nan
        row[f"{side} speed spread"] = float(speed.std() / max(speed.mean(), 0.05))
        turned = np.diff(np.unwrap(np.arctan2(*np.diff(path, axis=0).T)))
        row[f"{side} turning"] = float(np.abs(turned).mean())
    return row


def proportions(window: Window) -> Features:
    """Bones and head as the camera sees them."""
    body = window.body.astype(float)
    nose, shoulders, elbows, wrists = body[:, 0], body[:, 1:3], body[:, 3:5], body[:, 5:7]
    slope = shoulders[:, 0] - shoulders[:, 1]
    row = {
        "nose x": float(np.median(nose[:, 0])),
        "nose height": float(-np.median(nose[:, 1])),
        "shoulder slope": float(np.median(slope[:, 1])),
        "shoulder width now": float(np.median(np.linalg.norm(slope, axis=1))),
    }
    for h, side in enumerate(MOVING):
        row |= _quantiles(f"{side} upper arm", np.linalg.norm(elbows[:, h] - shoulders[:, h], axis=1), (0.5, 1.0))
        row |= _quantiles(f"{side} forearm", np.linalg.norm(wrists[:, h] - elbows[:, h], axis=1), (0.5, 1.0))
        row[f"{side} elbow out"] = float(np.median(np.abs(elbows[:, h, 0])))
        row[f"{side} elbow depth"] = float(np.median(elbows[:, h, 1]))
        hand = np.where(window.present[:, h, None], np.linalg.norm(window.hands[:, h], axis=-1), np.nan)
        row |= _quantiles(f"{side} palm", hand[:, 9], (0.5, 1.0)) | _quantiles(f"{side} tip", hand[:, 12], (0.5, 1.0))
    return row


def jitter(window: Window) -> Features:
    """Second differences, which no limb makes at 25 frames a second, and their share of the first: how white."""
    row: Features = {}
    fingers = np.where(window.present[..., None, None], window.hands, np.nan).astype(float)
    series = {name: window.body[:, j].astype(float) for j, name in enumerate(
        ("nose", "left shoulder", "right shoulder", "left elbow", "right elbow", "left wrist", "right wrist")
    )}  # fmt: skip
    series |= {f"{s} {n}": fingers[:, h, j] for h, s in enumerate(MOVING) for n, j in (("knuckle", 9), ("tip", 12))}
    for name, path in series.items():
        first, second = np.diff(path, axis=0), np.diff(path, n=2, axis=0)
        row[f"{name} jerk"] = _rms(second)
        row[f"{name} whiteness"] = _rms(second) / max(_rms(first), 1e-4)
    for h, side in enumerate(MOVING):
        second = np.diff(fingers[:, h, 1:], n=2, axis=0)
        row[f"{side} shared"] = _rms(second.mean(axis=1)) / max(_rms(second), 1e-4)
        gap = fingers[:, h, 0] * 0 + window.body[:, 5 + h]
        row[f"{side} wrist seen jerk"] = _rms(np.diff(gap, n=2, axis=0))
    return row


def _rms(values: Array) -> float:
    values = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(values**2))) if len(values) else np.nan


def two_hands(window: Window) -> Features:
    """How the hands share the work."""
    left, right = (window.wrists[:, h].astype(float) for h in (0, 1))
    speeds = [np.linalg.norm(np.diff(path, axis=0), axis=1) for path in (left, right)]
    steps = [np.diff(path, axis=0) for path in (left, right)]
    row = {
        "left share of way": float(speeds[0].sum() / max(speeds[0].sum() + speeds[1].sum(), 1e-3)),
        "both raised": float(((left[:, 1] < 1.2) & (right[:, 1] < 1.2)).mean()),
        "left raised": float((left[:, 1] < 1.2).mean()),
        "right raised": float((right[:, 1] < 1.2).mean()),
        "height difference": float(np.median(left[:, 1] - right[:, 1])),
        "closest": float(np.linalg.norm(left - right, axis=1).min()),
    }
    for k, axis in enumerate(("sideways", "upwards")):
        a, b = steps[0][:, k], steps[1][:, k]
        row[f"together {axis}"] = float((a * b).sum() / max(np.sqrt((a**2).sum() * (b**2).sum()), 1e-4))
    return row


GROUPS: dict[str, Callable[[Window], Features]] = {
    "hand shapes": hand_shapes,
    "presence": presence,
    "paths and speeds": paths,
    "pauses and holds": pauses,
    "rhythm": rhythm,
    "proportions and views": proportions,
    "jitter": jitter,
    "left and right": two_hands,
}


# --- classifiers --------------------------------------------------------------------------------------------------


def told_apart(rows: Array, kind: NDArray[np.int_], recordings: Sequence[str], seed: int) -> Array:
    """(N,) scores of trees that tell rows (N, D) of kind 1 from those of kind 0; each by trees that never saw its
    recording (three folds)."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedGroupKFold

    folds = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    scores = np.zeros(len(rows))
    for train, test in folds.split(rows, kind, recordings):
        model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, class_weight="balanced", random_state=0)
        scores[test] = model.fit(rows[train], kind[train]).predict_proba(rows[test])[:, 1]
    return scores


def area(scores: Array, kind: NDArray[np.int_]) -> float:
    """Area under the ROC curve."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(kind, scores))


@dataclass(frozen=True, eq=False)
class Material:
    """Feature rows of one collection: group → (N, D), and the recording of each row."""

    rows: dict[str, Array]
    names: dict[str, list[str]]
    recordings: list[str]

    def take(self, group: str) -> Array:
        if group != "all":
            return self.rows[group]
        return np.concatenate(list(self.rows.values()), axis=1)


def real_material(clips: Iterable[Clip], count: int, seed: int, collection: str) -> Material:
    """Features of up to `count` windows; as few as possible from one clip."""
    rng = np.random.default_rng(seed)
    listed = list(clips)
    windows: list[Window] = []
    each = max(1, -(-count // max(1, len(listed))))
    for i in rng.permutation(len(listed)):
        windows += windows_of(listed[i], rng, each)
        if len(windows) >= count:
            break
    return measured(windows[:count], collection)


def trained_on(recipe: Recipe, count: int, seed: int) -> Material:
    """Features of `count` windows as a training by the recipe sees them, of a world of another seed."""
    where, _, query = recipe.data.source.partition("?")
    options = {**dict(parse_qsl(query)), "signs": "300", "utterances": str(max(60, count // 3))}
    source = f"{where.partition(':')[0]}:{9900 + seed}?{urlencode(options)}"
    network = SignTCN(SignTCNConfig(**recipe.config))
    items = open_source(source, network.required_inputs)
    signs = sorted({sign for item in items for sign in item.labels()})
    made = MATERIALS[recipe.data.material](items, network, recipe, {sign: k for k, sign in enumerate(signs)})
    rng, windows = numbers(seed, 1), list[Window]()
    while len(windows) < count:
        drawn = rng.integers(len(made), size=min(64, count - len(windows)))
        frames = made.batch(Draw(seed, len(windows), 0, drawn))["pose"].numpy()
        first = (frames.shape[1] - WINDOW) // 2
        homes = made.stretches.spans[drawn, 3]
        windows += [window_of(v[first : first + WINDOW], str(home)) for v, home in zip(frames, homes, strict=True)]
    return measured(windows, f"world {seed}")


def measured(windows: Sequence[Window], collection: str) -> Material:
    """The features of windows of one collection."""
    rows = {group: [measure(w) for w in windows] for group, measure in GROUPS.items()}
    names = {group: list(some[0]) for group, some in rows.items()}
    values = {group: np.array([[row[n] for n in names[group]] for row in some]) for group, some in rows.items()}
    return Material(values, names, [f"{collection}:{w.recording}" for w in windows])


def joined(parts: Sequence[Material]) -> Material:
    rows = {group: np.concatenate([p.rows[group] for p in parts]) for group in GROUPS}
    return Material(rows, parts[0].names, [r for p in parts for r in p.recordings])


def gap(real: dict[str, Material], made: Material, group: str, seed: int) -> list[float]:
    """AUC of one classifier of real against procedural windows: of all, and of each collection's windows."""
    whole = joined([*real.values(), made])
    home = np.repeat(np.arange(len(real) + 1), [len(m.recordings) for m in (*real.values(), made)])
    kind = (home < len(real)).astype(int)
    scores = told_apart(whole.take(group), kind, whole.recordings, seed)
    chosen = [(home == i) | (home == len(real)) for i in range(len(real))]
    return [area(scores, kind), *(area(scores[rows], kind[rows]) for rows in chosen)]


def among(real: dict[str, Material], group: str) -> float:
    """Mean AUC of each real collection against the other ones."""
    whole = joined(list(real.values()))
    home = np.repeat(np.arange(len(real)), [len(m.recordings) for m in real.values()])
    areas = []
    for i in range(len(real)):
        kind = (home == i).astype(int)
        areas.append(area(told_apart(whole.take(group), kind, whole.recordings, 0), kind))
    return float(np.mean(areas))


def telling(real: Material, made: Material, group: str, count: int) -> list[str]:
    """The features that tell most alone: "name: real median, procedural median (AUC)"."""
    kind = np.repeat([1, 0], [len(real.recordings), len(made.recordings)])
    found = []
    for k, name in enumerate(real.names[group]):
        a, b = real.rows[group][:, k], made.rows[group][:, k]
        values = np.concatenate([a, b])
        there = np.isfinite(values)
        if len(set(kind[there])) < 2:
            continue
        alone = area(values[there], kind[there])
        found.append(
            (max(alone, 1 - alone), name, np.nanquantile(a, (0.1, 0.5, 0.9)), np.nanquantile(b, (0.1, 0.5, 0.9)))
        )
    found.sort(key=lambda row: -row[0])

    def shown(q: Array) -> str:
        return " / ".join(f"{v:.3g}" for v in q)

    return [f"{name}: real {shown(a)}, procedural {shown(b)} (AUC {alone:.2f})" for alone, name, a, b in found[:count]]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["sign-tcn-default"], help="of sign-tcn: names or TOML files")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="changes all recipes")
    parser.add_argument("--windows", type=int, default=200, help="of each real collection")
    parser.add_argument("--worlds", type=int, default=3, help="procedural worlds")
    parser.add_argument("--groups", nargs="+", choices=[*GROUPS, "all"], default=[*GROUPS, "all"], help="of features")
    parser.add_argument("--features", type=int, default=0, help="features of a group to show")
    parser.add_argument("--each", action="store_true", help="a column for each real collection as well")
    parser.add_argument("--real", action="store_true", help="a row for real collections among each other")
    return parser.parse_args()


def main() -> None:
    args = parsed()
    sets = {**real_sets(args.folder), **unlabelled_sets(args.folder)}
    real = {name: real_material(clips, args.windows, 0, name) for name, clips in sets.items()}
    count = sum(len(m.recordings) for m in real.values())
    print(f"{count} real windows of {len(real)} collections; AUC, mean and spread of {args.worlds} worlds\n")
    print("| recipe | " + " | ".join(args.groups) + " |\n|---|" + "---|" * len(args.groups))
    for name in args.recipes:
        recipe = read_recipe(name, args.set)
        worlds = [trained_on(recipe, count, seed) for seed in range(args.worlds)]
        tables = {group: np.array([gap(real, w, group, k) for k, w in enumerate(worlds)]) for group in args.groups}
        cells = [f"{table[:, 0].mean():.3f} ± {table[:, 0].std():.3f}" for table in tables.values()]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        for k, collection in enumerate(real) if args.each else ():
            print(f"| … {collection} | " + " | ".join(f"{t[:, k + 1].mean():.2f}" for t in tables.values()) + " |")
        if args.features:
            print_features(joined(list(real.values())), worlds[0], args.groups, args.features)
    if args.real:
        print("| real against real | " + " | ".join(f"{among(real, group):.3f}" for group in args.groups) + " |")


def print_features(real: Material, made: Material, groups: Sequence[str], count: int) -> None:
    for group in groups:
        if group in GROUPS:
            print(f"\n{group} (10 %, median, 90 %)")
            print("\n".join(f"- {line}" for line in telling(real, made, group, count)))


if __name__ == "__main__":
    main()
