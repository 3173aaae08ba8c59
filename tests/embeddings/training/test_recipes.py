"""Every recipe is read, builds its network, and says what was published; what is wrong in one is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.encoders.table import ENCODERS, encoder_class
from embeddings.training.losses import PartTriplet, Triplet
from embeddings.training.networks import FRAME_NETWORKS, TrainingError, build_network
from embeddings.training.recipes import RecipeError, read_recipe, recipe_names
from embeddings.training.settings import Batch, DataPart, Schedule

PUBLISHED = {
    "vtn-autsl", "vtn-hc-autsl", "vtn-pf-autsl", "vtn-pf-depth-autsl", "sl-gcn-oslwl", "sl-gcn-3d-oslwl", "i3d-oslwl",
    "i3d-resnet50-autsl", "spoter-wlasl100", "spoter-no-position-wlasl100", "encoder-only-wlasl100",
    "class-query-wlasl100", "weights-both-sides-wlasl100", "class-query-ipn", "pose-transformer-autsl",
    "vle-transformer-autsl", "vle-transformer-small-autsl", "vle-transformer-small-no-position-autsl", "handshape-uwb",
}  # fmt: skip
QUICK = {"sl-gcn-quick", "spoter-quick", "class-query-quick"}
FURTHER = {"sign-tcn-filmed"}
SPOTTING = {"vtn-spotting", "vtn-hc-spotting", "vtn-pf-spotting", "i3d-resnet50-spotting"}
SHIPPED = {"sign-tcn-default", "sign-tcn-real", "sl-gcn", "depth", "locations"}


def test_every_system_has_its_recipe() -> None:
    assert set(recipe_names()) == PUBLISHED | QUICK | SHIPPED | FURTHER | SPOTTING
    covered = {read_recipe(name).network for name in recipe_names()}
    assert covered == {*ENCODERS, *FRAME_NETWORKS} - {"pose-cosine"}  # which has no weights


@pytest.mark.parametrize("name", sorted(PUBLISHED | QUICK | SHIPPED | FURTHER | SPOTTING))
def test_a_recipe_builds_its_network(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.about
    with torch.device("meta"):
        network = build_network(recipe, 7)
    assert network.name == recipe.network
    if recipe.network in ENCODERS:
        assert network.config.classes == 7
    if name in QUICK | SHIPPED | FURTHER:
        assert recipe.data.source.partition(":")[0] in ("procedural", "signing", "depth", "locations")


@pytest.mark.parametrize("name", ["sign-tcn-default", "sign-tcn-real", "sl-gcn"])
def test_what_ships_is_what_its_recipe_builds(name: str) -> None:
    """The same network, and the seed, steps and signs that the checkpoint says it was trained with."""
    import json
    from importlib.resources import files

    from embeddings.encoders import SHIPPED as CHECKPOINTS
    from embeddings.encoders import load_encoder
    from embeddings.encoders.checkpoint import read_header

    which, recipe = name.replace("sign-tcn-default", "default"), read_recipe(name)
    with torch.device("meta"):
        built = build_network(recipe, 0)
    shipped = load_encoder(which)
    assert shipped.config == built.config
    assert shipped.state_dict().keys() == built.state_dict().keys()
    header = read_header(str(files("embeddings") / "weights" / CHECKPOINTS[which]))
    facts = json.loads(header["training"])
    assert (facts["seed"], facts["steps"]) == (recipe.run.seed, recipe.schedule.steps)
    assert f"?signs={facts['signs']}&" in recipe.data.source
    assert recipe.run.half


@pytest.mark.parametrize("name", sorted(FRAME_NETWORKS))
def test_shipped_weights_of_the_phonology_are_what_its_recipes_make(name: str) -> None:
    from importlib.resources import files
    from pathlib import Path

    network = build_network(read_recipe(name), 0)
    network.load(Path(str(files("embeddings") / "weights" / f"{name}.safetensors")))
    features = torch.randn(5, 1, network.input_size)
    from embeddings.phonology.frame_weights import frame_values

    network.eval()
    np.testing.assert_allclose(
        frame_values(name, features[:, 0].numpy()), network({"features": features}).logits.detach(), atol=2e-4
    )


def test_the_oslwl_schedule_is_the_published_one() -> None:
    for name in ("sl-gcn-oslwl", "sl-gcn-3d-oslwl", "i3d-oslwl"):
        recipe = read_recipe(name)
        o, triplet = recipe.optimiser, recipe.loss["triplet" if name == "i3d-oslwl" else "part_triplet"]
        assert (o.name, o.rate, o.momentum, o.weight_decay) == ("sgd", 0.1, 0.9, 5e-4)
        assert isinstance(triplet, Triplet)
        assert (triplet.weight, triplet.margin, recipe.loss["cross_entropy"].weight, len(recipe.loss)) == (1, 0.2, 1, 2)
        assert (recipe.schedule.steps, recipe.data.sampling, recipe.data.stride) == (500, "contiguous", 1)
        assert (recipe.batch.classes, recipe.batch.each) == ((6, 2) if name == "i3d-oslwl" else (12, 4))
        if name != "i3d-oslwl":
            assert (recipe.schedule.kind, recipe.schedule.milestones) == ("milestones", (300, 400))
            assert recipe.config["streams"] == ["joint", "bone", "motion"]
            with torch.device("meta"):
                network = build_network(recipe, 80)
            assert (network.config.adjacency, network.config.classifier) == ("sum", "parts")
            assert (network.config.part_bias, network.config.strided) == (False, False)
    for change in ("schedule.milestones=[]", "schedule.kind=constant"):
        with pytest.raises(RecipeError, match="milestones need both"):
            read_recipe("sl-gcn-oslwl", [change])


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
        count = sum(p.numel() for p in build_network(read_recipe("spoter-wlasl100"), 100).parameters())
    assert count == pytest.approx(5.92e6, rel=0.005)


def test_changes_are_read_as_toml_and_bare_words_as_text() -> None:
    changes = ["optimiser.rate=0.01", "config.streams=['bone']", "run.precision=16", "data.source=clips.csv?media=v/"]
    recipe = read_recipe("sl-gcn-oslwl", changes)
    assert recipe.optimiser.rate == 0.01
    assert recipe.config["streams"] == ["bone"]
    assert recipe.run.precision == "16"
    assert recipe.data.source == "clips.csv?media=v/"
    changes = ["loss.part_triplet.margin=0.3", "loss.cross_entropy=0", "loss.triplet=2", "network=sl-gcn-3d"]
    recipe = read_recipe("sl-gcn-oslwl", [*changes, "schedule.watch=one-shot"])
    assert recipe.loss["part_triplet"] == PartTriplet(1.0, 0.3)
    assert {name: term.weight for name, term in recipe.loss.items()} == {
        "part_triplet": 1.0, "cross_entropy": 0.0, "triplet": 2.0,
    }  # fmt: skip
    assert recipe.network == "sl-gcn-3d"
    assert not recipe.classifies()
    mixed = read_recipe("sign-tcn-real", ["mixture.real.source=landmarks:a.npz", "mixture.idle.source=landmarks:b.npz"])
    assert {name: part.source for name, part in mixed.mixture.items()} == {
        "real": "landmarks:a.npz", "idle": "landmarks:b.npz",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimiser.speed=1", "optimiser.speed is not known; expected one of name, rate"),
        ("optimiser.rate='fast'", "optimiser.rate is 'fast'; it should be a valid number"),
        ("optimiser.rate=-1", "optimiser.rate is -1; it should be greater than or equal to 0"),
        ("optimiser.betas=[0.9]", "optimiser.betas.1 is .*required"),
        ("batch.classes=true", "batch.classes is True; it should be a valid integer"),
        ("batch.classes=0", "batch.classes is 0; it should be greater than or equal to 1"),
        ("batch.each=1", "triplets need two clips"),
        ("data.cut=half", "data.cut is 'half'; it should be 'clip' or 'span'"),
        ("data.validation=0.9", "data.validation is 0.9; it should be less than or equal to 0.5"),
        ("data.jitter=much", "data.jitter is 'much'; it should be a valid number"),
        ("data.sampling=all", "a batch holds one"),
        ("data.tempo=0.2", "data.tempo does nothing where data.material is 'windows'"),
        ("data.material=stretches", "does nothing where data.material is 'stretches'"),
        ("batch.background=4", "background windows need data.material = 'stretches'"),
        ("schedule.epochs=3", "set one of schedule.steps"),
        ("schedule.patience=3", "schedule.watch"),
        ("loss.cross_entropy=0", "without loss.cross_entropy"),
        ("loss.cross_entropy.smoothing=1", "loss.cross_entropy.smoothing is 1; it should be less than 1"),
        ("loss.centre=1", "loss.centre is not known; losses are triplet"),
        ("mixture.real.speed=1", "mixture.real.speed is not known"),
        ("mixture=2", "expected table.key=value"),
        ("data=2", "expected table.key=value"),
        ("engine.power=1", "engine is not known"),
        ("nonsense", "expected table.key=value"),
    ],
)
def test_what_is_wrong_is_named(change: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe("sl-gcn-oslwl", [change, *(["schedule.watch=last"] if "patience" in change else [])])


def test_what_a_network_refuses_is_named() -> None:
    for change, message in (
        ("config.wings=2", "sl-gcn has no config wings"),
        ("config.window=wide", "config.window is 'wide'; it should be a valid integer"),
        ("config.widths=[7]", "sl-gcn refuses its config"),
        ("network=nothing", "network 'nothing' is not known"),
    ):
        with pytest.raises(TrainingError, match=message):
            build_network(read_recipe("sl-gcn-oslwl", [change]), 3)


def test_a_recipe_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('network = "spoter"\n[schedule]\nsteps = 5\n[data]\ncut = "span"\n[loss]\ncross_entropy = 1\n')
    recipe = read_recipe(path)
    assert recipe.name == "mine"
    assert recipe.data == replace(DataPart(), cut="span")
    path.write_text('network = "spoter"\nschedule = 3')
    with pytest.raises(RecipeError, match="schedule is 3; expected a table"):
        read_recipe(path)
    path.write_text('network = "spoter"\n[schedule]\nsteps = 5\n')
    with pytest.raises(RecipeError, match="no loss counts"):
        read_recipe(path)
    path.write_text("network = ")
    with pytest.raises(RecipeError, match="not readable as TOML"):
        read_recipe(path)
    with pytest.raises(RecipeError, match=r"neither a .toml file nor one of class-query-ipn"):
        read_recipe("sl-gnc")


def test_the_variants_of_spoter_have_names() -> None:
    from embeddings.encoders.spoter import SPOTER_VARIANTS, Spoter

    for name, wanted in SPOTER_VARIANTS.items():
        kind = encoder_class(name)
        assert issubclass(kind, Spoter)
        found = kind.config_class()()
        assert {k: getattr(found, k) for k in vars(wanted)} == vars(wanted)
