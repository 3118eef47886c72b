"""What the bundle makes of modules: the same program in fewer requests, or a refusal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from console.assets import load_assets
from console.bundle import bundled, lean
from referrals.service.pages import PAGES

STATIC = Path(__file__).resolve().parents[2] / "console/static"

SCRIPTS = {
    "main.js": 'import { a as b } from "./first.js";\nconsole.log(b());\n',
    "first.js": 'import { c } from "./second.js";\nexport function a() {\nreturn c;\n}\n',
    "second.js": "export const c = 1;\n",
    "page.js": 'import { c } from "./second.js";\nimport { d } from "./other.js";\n'
    "export function show() {\nreturn c + d;\n}\n",
    "other.js": "export const d = 2;\n",
}


def test_main_carries_what_it_imports_each_after_what_it_needs() -> None:
    sent = bundled(SCRIPTS)
    assert set(sent) == {"main.js", "page.js", "other.js"}
    main = sent["main.js"]
    assert main.index("const $second") < main.index("const $first") < main.index("const { a: b } = $first;")
    assert main.endswith("export { $second, $first };\n")
    assert "import" not in main


def test_a_pages_own_script_takes_the_common_parts_from_main() -> None:
    page = bundled(SCRIPTS)["page.js"]
    assert page.startswith('import { $second } from "./main.js";\nconst { c } = $second;\n')
    assert 'import { d } from "./other.js";' in page
    assert "export function show" in page


@pytest.mark.parametrize("line", ["export default 1;", "export let x = 1;", 'import x from "./second.js";'])
def test_a_form_that_is_not_known_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"page\.js"):
        bundled({**SCRIPTS, "page.js": line + "\n"})


def test_comments_and_indentation_stay_at_home() -> None:
    text = '// about\n/** Doc.\n    more */\nfunction f() {\n  return "// not a comment"; // kept\n}\n'
    assert lean(text, ".js") == 'function f() {\nreturn "// not a comment"; // kept\n}\n'


def test_the_products_own_scripts_fit_together() -> None:
    files = load_assets().files
    assert "ui.js" not in files  # it travels in main.js
    assert b"$ui" in files["plan.js"].plain


def test_every_page_has_a_script_under_its_name_or_is_one_of_sections() -> None:
    """A page fetches its script while the server is asked: a missing one would cost every later one anew."""
    listed = re.search(r"for \(const page of (\[.*?\])\) MODULES", (STATIC / "main.js").read_text())
    assert listed is not None
    sections = set(json.loads(listed.group(1)))
    assert not [page for page in PAGES if page not in sections and not (STATIC / f"{page}.js").exists()]
