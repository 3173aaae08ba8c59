"""`spotter gallery`: what a gallery holds, and changes to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import err, out, print_json
from .options import JsonFlag

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["register"]

GalleryFolder = Annotated[Path, typer.Argument(help="Folder of the gallery.", show_default=False)]

group = typer.Typer(no_args_is_help=True, help="What a gallery holds; rename, remove and merge; pictures of exemplars.")


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    group.command("list", epilog="Example: [bold]spotter gallery list gallery/[/bold]")(list_signs)
    group.command("show", epilog="Example: [bold]spotter gallery show gallery/ HOUSE[/bold]")(show)
    group.command("remove", epilog="Example: [bold]spotter gallery remove gallery/ TREE --exemplar HOUSE~2[/bold]")(
        remove
    )
    group.command("rename", epilog="Example: [bold]spotter gallery rename gallery/ HOUSE HOUSE-1[/bold]")(give_name)
    group.command("merge", epilog="Example: [bold]spotter gallery merge anna/ ben/ -o both/[/bold]")(merge_galleries)
    group.command("thumbnails", epilog="Example: [bold]spotter gallery thumbnails gallery/ --media clips/[/bold]")(
        thumbnails
    )
    app.add_typer(group, name="gallery")


def list_signs(folder: GalleryFolder, json_output: JsonFlag = False) -> None:
    """The signs of a gallery, and how many exemplars each has."""
    gallery = _loaded(folder)
    counts = {sign: gallery.exemplar_labels.count(sign) for sign in gallery.labels}
    if json_output:
        print_json({"gallery": str(folder), "encoder": gallery.encoder, "signs": counts})
        return
    from rich.table import Table

    table = Table("sign", "exemplars")
    for sign, count in counts.items():
        table.add_row(_text(sign), str(count))
    out.print(table)
    out.print(f"{len(counts)} signs, {len(gallery)} exemplars; encoder {gallery.encoder}")


def show(
    folder: GalleryFolder,
    signs: Annotated[list[str] | None, typer.Argument(help="Signs (default: all).", show_default=False)] = None,
    json_output: JsonFlag = False,
) -> None:
    """The exemplars: where each is from, from when to when, and its picture."""
    gallery = _loaded(folder)
    gallery.only(signs or ())  # says which sign is unknown
    rows = [
        {"id": name, "sign": label, **facts}
        for name, label, facts in zip(gallery.ids, gallery.exemplar_labels, gallery.facts, strict=True)
        if not signs or label in signs
    ]
    if json_output:
        print_json(rows)
        return
    from rich.table import Table

    table = Table("exemplar", "sign", "from", "starts", "ends", "picture")
    for row in rows:
        times = (f"{float(row[k]):.2f} s" if row.get(k) is not None else "" for k in ("start", "end"))
        source, picture = str(row.get("source", "")), str(row.get("thumbnail", ""))
        table.add_row(
            _text(row["id"]), _text(row["sign"]), _text(source), *times, f"thumbnails/{picture}" if picture else ""
        )
    out.print(table)


def remove(
    folder: GalleryFolder,
    signs: Annotated[
        list[str] | None, typer.Argument(help="Signs, with all their exemplars.", show_default=False)
    ] = None,
    exemplar: Annotated[list[str] | None, typer.Option(help="One exemplar by its id; may be repeated.")] = None,
) -> None:
    """Remove signs or single exemplars. All of them or, where one is unknown, none."""
    if not signs and not exemplar:
        raise ValueError("nothing to remove: name signs, or exemplars with --exemplar")
    gallery = _loaded(folder)
    gallery.only(signs or ())
    leaving = [name for name, label in zip(gallery.ids, gallery.exemplar_labels, strict=True) if label in (signs or ())]
    gallery.remove(dict.fromkeys([*leaving, *(exemplar or ())]))
    gallery.save(folder)
    _say(folder, gallery)


def give_name(
    folder: GalleryFolder,
    sign: Annotated[str, typer.Argument(help="The sign as it is called now.", show_default=False)],
    new: Annotated[str, typer.Argument(help="Its new gloss; of a sign that is there it becomes a further exemplar.")],
) -> None:
    """Give a sign another gloss."""
    from gallery import rename_sign

    gallery = _loaded(folder)
    joined = new in gallery and new != sign
    names = rename_sign(gallery, sign, new)
    gallery.save(folder)
    out.print(f"{sign} → {', '.join(names)}" + (f"; {new} was there, it has more exemplars now" if joined else ""))


def merge_galleries(
    folders: Annotated[list[Path], typer.Argument(help="Galleries of one encoder.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder of the merged gallery; may be one of them.", show_default=False),
    ],
) -> None:
    """Put galleries together. An exemplar that several of them hold is taken once."""
    from gallery import merge

    galleries = [_loaded(folder) for folder in folders]
    if output.exists() and output.resolve() not in [folder.resolve() for folder in folders]:
        raise ValueError(f"{output} exists and is none of the galleries; choose another folder")
    gallery = galleries[0].copy()
    for folder, other in zip(folders[1:], galleries[1:], strict=True):
        done = merge(gallery, other)
        there = f", {len(done.there)} were there already" if done.there else ""
        out.print(f"{folder}: {len(done.added)} exemplars taken in{there}")
    gallery.save(output)
    _say(output, gallery)


def thumbnails(
    folder: GalleryFolder,
    media: Annotated[
        list[Path] | None,
        typer.Option(
            help="Where the exemplars' clips are now, or folders of them (default: where they were enrolled)."
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also a page that shows all pictures, HTML.")
    ] = None,
) -> None:
    """Take pictures of exemplars that have none, from their clips."""
    from ..report.thumbnails import add_thumbnails, thumbnail_page

    gallery = _loaded(folder)
    added, without = add_thumbnails(gallery, media or ())
    if added:
        gallery.save(folder)
    out.print(f"{added} pictures taken; {len(gallery) - len(without)} of {len(gallery)} exemplars have one")
    if without:
        err.print(f"no clip is found of {', '.join(without[:5])}{' …' if len(without) > 5 else ''}; see --media")
    if page is not None:
        thumbnail_page(page, gallery, folder.name)
        out.print(f"page → {page}")


def _loaded(folder: Path) -> Gallery:
    from gallery import Gallery as Opened

    return Opened.load(folder)


def _say(folder: Path, gallery: Gallery) -> None:
    out.print(f"{len(gallery.labels)} signs, {len(gallery)} exemplars in {folder}/")


def _text(value: Any) -> str:
    from rich.markup import escape

    return escape(str(value))
