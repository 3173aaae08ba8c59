"""MediaPipe Holistic: what it gives, that it is quiet, what it says where something is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embeddings.pose import estimate
from embeddings.pose.formats.packs import read_pack

ROOT = Path(__file__).resolve().parents[4]
EMPTY = "import numpy as np; frame = np.full((120, 160, 3), 90, np.uint8)\n"
MAKE = "from embeddings.pose.estimators.mediapipe import MediaPipeHolistic\n"


def python(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    setup = f"import sys; sys.path[:0] = {[str(p) for p in paths]!r}\n"
    return subprocess.run([sys.executable, "-c", setup + code], capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.fixture(scope="module")
def nobody() -> subprocess.CompletedProcess[str]:
    pytest.importorskip("mediapipe")
    show = "e = MediaPipeHolistic()\nfor _ in range(3): xy, c, z, _ = e.detect(frame)\ne.close(); e.close()\n"
    return python(
        EMPTY + MAKE + show + "print(e.name, xy.shape, np.isnan(xy).all(), (c == 0).all(), np.isnan(z).all())"
    )


def test_nobody_in_the_picture_is_a_row_of_missing(nobody: subprocess.CompletedProcess[str]) -> None:
    assert nobody.returncode == 0, nobody.stderr
    assert nobody.stdout.startswith("mediapipe-holistic 0.10")
    assert nobody.stdout.strip().endswith("(75, 2) True True True")


def test_it_says_nothing_of_its_own(nobody: subprocess.CompletedProcess[str]) -> None:
    assert nobody.stderr == ""


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("raise ImportError('libGL.so.1: cannot open shared object file')", "sudo apt-get install -y libgl1"),
        ("raise ModuleNotFoundError('no mediapipe', name='mediapipe')", r"pip install 'mediapipe==0.10.21'"),
        ("raise ImportError('numpy.core.multiarray failed to import')", "installed but does not load"),
        ("__version__ = '1.2.2'", "MediaPipe 1.2.2 ships no models"),
    ],
)
def test_what_is_missing_is_named_with_its_cure(tmp_path: Path, module: str, reason: str) -> None:
    (tmp_path / "mediapipe.py").write_text(module)
    done = python(MAKE + "MediaPipeHolistic()", tmp_path)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError")
    assert reason in last


def test_a_model_file_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    from embeddings.pose.estimators.mediapipe import MediaPipeHolistic

    with pytest.raises(ValueError, match=r"none\.task: no such model file"):
        MediaPipeHolistic(model=tmp_path / "none.task")


@pytest.mark.real
@pytest.mark.parametrize("name", ["again_example1", "you_example2"])
def test_real_signers_match_an_independent_extraction(real_data: Path, name: str) -> None:
    """Landmarks beside the videos were made by others with MediaPipe 0.10.14."""
    pytest.importorskip("mediapipe")
    folder = real_data / "ksl77_koala_videos"
    pose = estimate(folder / f"{name}.mp4", "mediapipe")
    (beside,) = (s.pose for s in read_pack(folder / "mediapipe_holistic.npz", size=pose.size) if s.id == name)
    assert len(pose) == len(beside)
    assert pose.fps == pytest.approx(beside.fps)
    error = np.linalg.norm(pose.xy - beside.xy, axis=-1)
    for part, joints in (("body", slice(0, 25)), ("left hand", slice(33, 54)), ("right hand", slice(54, 75))):
        seen, expected = ~np.isnan(pose.xy[:, joints, 0]), ~np.isnan(beside.xy[:, joints, 0])
        assert (seen == expected).mean() > 0.97, part
        if (seen & expected).any():
            print(f"{name} {part}: median {np.nanmedian(error[:, joints]):.3f} px, seen in {seen.mean():.0%} of frames")
            assert np.nanmedian(error[:, joints]) < 1.0, part
    assert pose.z is not None
    assert beside.z is not None
    assert np.nanmedian(np.abs(pose.z - beside.z)[:, 11:17]) < 0.02 * pose.size[0]
    # the signer's left shoulder is on the right of the picture; each hand hangs on its own wrist
    assert (pose.xy[:, 11, 0] > pose.xy[:, 12, 0]).all()
    for hand, own, other in ((33, 15, 16), (54, 16, 15)):
        seen = ~np.isnan(pose.xy[:, hand, 0])
        if seen.any():
            to = [np.linalg.norm(pose.xy[seen, hand] - pose.xy[seen, wrist], axis=1) for wrist in (own, other)]
            assert np.median(to[0]) < 15
            assert np.median(to[0]) < np.median(to[1])
