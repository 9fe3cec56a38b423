"""Minutes as a Word file: words come in, bytes go out. Whatever is printed is set by ``prints``."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LATIN, SONG, HEI = "Calibri", "宋体", "黑体"
"""Typefaces of official papers; Word takes the second and third for Chinese only when they are named for it."""
PICTURE_CM = 24.0


@dataclass(frozen=True, slots=True)
class Minutes:
    """What minutes say, in one language. Each of ``rows`` has as many cells as ``head``; ``picture`` is a PNG."""

    title: str
    state: str
    facts: Sequence[tuple[str, str]]
    attendees: tuple[str, str]
    notes: tuple[str, str]
    agenda: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: str
    picture: bytes
    picture_words: str
    lang: str


def docx(told: Minutes) -> bytes:
    """Minutes as a Word document, A4 across, with the fonts named for Chinese as well."""
    from docx import Document  # noqa: PLC0415
    from docx.enum.section import WD_ORIENT  # noqa: PLC0415
    from docx.shared import Cm, Pt  # noqa: PLC0415

    document = Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21.0)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin = section.bottom_margin = Cm(1.8)
    _font(document.styles["Normal"], SONG, Pt(10.5))
    for name, size in (("Title", Pt(20)), ("Heading 1", Pt(14))):
        _font(document.styles[name], HEI, size)
    _language(document.styles["Normal"], told.lang)
    document.core_properties.title = told.title
    document.core_properties.author = ""
    document.add_heading(told.title, level=0)
    if told.state:
        document.add_paragraph(told.state)
    for name, value in told.facts:
        line = document.add_paragraph()
        line.add_run(f"{name}  ").bold = True
        line.add_run(value)
    for name, text in (told.attendees, told.notes):
        if text:
            document.add_heading(name, level=1)
            for part in text.split("\n"):
                document.add_paragraph(part)
    document.add_heading(told.agenda, level=1)
    document.add_picture(io.BytesIO(told.picture), width=Cm(PICTURE_CM))
    document.add_paragraph(told.picture_words)
    _table(document, told)
    if told.total:
        document.add_paragraph(told.total)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _table(document: Any, told: Minutes) -> None:
    table = document.add_table(rows=1, cols=len(told.head), style="Table Grid")
    for cell, text in zip(table.rows[0].cells, told.head, strict=True):
        cell.paragraphs[0].add_run(text).bold = True
    for row in told.rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text


def _font(style: Any, chinese: str, size: Any) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415

    style.font.name = LATIN
    style.font.size = size
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), chinese)


def _language(style: Any, lang: str) -> None:
    from docx.oxml import OxmlElement  # noqa: PLC0415
    from docx.oxml.ns import qn  # noqa: PLC0415

    tongue = OxmlElement("w:lang")
    tongue.set(qn("w:val"), "en-GB" if lang == "en" else "zh-CN")
    tongue.set(qn("w:eastAsia"), "zh-CN")
    style.element.get_or_add_rPr().append(tongue)
