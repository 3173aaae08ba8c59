"""Every recipe is read, builds its network, and says what was published; what is wrong in one is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from embeddings.encoders.table import ENCODERS, encoder_class
from embeddings.training.recipes import Batch, DataPart, RecipeError, Schedule, read_recipe, recipe_names
from embeddings.training.train import build_encoder

PUBLISHED = {
    "vtn-autsl", "vtn-hc-autsl", "vtn-pf-autsl", "vtn-pf-depth-autsl", "sl-gcn-oslwl", "sl-gcn-3d-oslwl", "i3d-oslwl",
    "i3d-resnet50-autsl", "spoter-wlasl100", "spoter-no-position-wlasl100", "encoder-only-wlasl100",
    "class-query-wlasl100", "weights-both-sides-wlasl100", "class-query-ipn", "pose-transformer-autsl",
    "vle-transformer-autsl", "vle-transformer-small-autsl", "vle-transformer-small-no-position-autsl", "handshape-uwb",
}  # fmt: skip
QUICK = {"sl-gcn-quick", "spoter-quick", "class-query-quick"}


def test_every_system_has_its_recipe() -> None:
    assert set(recipe_names()) == PUBLISHED | QUICK
    covered = {read_recipe(name).encoder for name in recipe_names()}
    assert covered == set(ENCODERS) - {
        "sign-tcn",
        "pose-cosine",
    }  # the default has its own script, the other no weights


@pytest.mark.parametrize("name", sorted(PUBLISHED | QUICK))
def test_a_recipe_builds_its_network(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.about
    with torch.device("meta"):
        encoder = build_encoder(recipe, 7)
    assert encoder.name == recipe.encoder
    assert encoder.config.classes == 7
    if name in QUICK:
        assert recipe.data.source.startswith("procedural:")


def test_the_oslwl_schedule_is_the_published_one() -> None:
    for name in ("sl-gcn-oslwl", "sl-gcn-3d-oslwl", "i3d-oslwl"):
        recipe = read_recipe(name)
        o, loss = recipe.optimiser, recipe.loss
        assert (o.name, o.rate, o.momentum, o.weight_decay) == ("sgd", 0.1, 0.9, 5e-4)
        assert (loss.triplet, loss.cross_entropy, loss.margin) == (1, 1, 0.2)
        assert (recipe.schedule.steps, recipe.data.sampling, recipe.data.stride) == (500, "contiguous", 1)
        assert (recipe.batch.classes, recipe.batch.each) == ((6, 2) if name == "i3d-oslwl" else (12, 4))


def test_the_vtn_schedule_is_the_published_one() -> None:
    recipe = read_recipe("vtn-pf-autsl")
    o, s = recipe.optimiser, recipe.schedule
    assert (o.name, o.rate, o.betas, o.eps, o.clip) == ("adam", 1e-4, (0.9, 0.999), 1e-8, 1.0)
    assert (s.kind, s.every, s.factor, s.patience, s.watch) == ("step", 5, 0.1, 10, "loss")
    assert recipe.batch == Batch("shuffle", size=4, accumulate=8)
    assert (recipe.data.sampling, recipe.data.stride) == ("centre", 2)


def test_spoters_schedule_is_the_published_one() -> None:
    recipe = read_recipe("spoter-wlasl100")
    assert (recipe.optimiser.name, recipe.optimiser.rate, recipe.batch.clips()) == ("sgd", 1e-3, 1)
    assert recipe.schedule == Schedule(epochs=350, watch="top1")


def test_published_sizes() -> None:
    with torch.device("meta"):
        count = sum(p.numel() for p in build_encoder(read_recipe("spoter-wlasl100"), 100).parameters())
    assert count == pytest.approx(5.92e6, rel=0.005)


def test_changes_are_read_as_toml_and_bare_words_as_text() -> None:
    changes = ["optimiser.rate=0.01", "config.streams=['bone']", "run.precision=16", "data.source=clips.csv?media=v/"]
    recipe = read_recipe("sl-gcn-oslwl", changes)
    assert recipe.optimiser.rate == 0.01
    assert recipe.config["streams"] == ["bone"]
    assert recipe.run.precision == "16"
    assert recipe.data.source == "clips.csv?media=v/"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimiser.speed=1", "optimiser.speed is not known"),
        ("optimiser.rate='fast'", "expected float"),
        ("batch.classes=true", "expected int"),
        ("batch.classes=0", "at least 1"),
        ("batch.each=1", "triplets need two clips"),
        ("data.cut=half", "expected one of clip, span"),
        ("data.validation=0.9", r"expected a share in \[0, 0.5\]"),
        ("data.sampling=all", "a batch holds one"),
        ("schedule.epochs=3", "set one of schedule.steps"),
        ("loss.cross_entropy=0", "without cross-entropy"),
        ("engine.power=1", "engine is not known"),
        ("nonsense", "expected table.key=value"),
    ],
)
def test_what_is_wrong_is_named(change: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe("sl-gcn-oslwl", [change])


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('encoder = "spoter"\n[schedule]\nsteps = 5\n[data]\ncut = "span"\n')
    recipe = read_recipe(path)
    assert recipe.name == "mine"
    assert recipe.data == replace(DataPart(), cut="span")
    path.write_text("encoder = ")
    with pytest.raises(RecipeError, match="not readable as TOML"):
        read_recipe(path)
    with pytest.raises(RecipeError, match=r"neither a .toml file nor one of class-query-ipn"):
        read_recipe("sl-gcn")


def test_the_variants_of_spoter_have_names() -> None:
    from embeddings.encoders.spoter import SPOTER_VARIANTS, Spoter

    for name, wanted in SPOTER_VARIANTS.items():
        kind = encoder_class(name)
        assert issubclass(kind, Spoter)
        found = kind.config_class()()
        assert {k: getattr(found, k) for k in vars(wanted)} == vars(wanted)
