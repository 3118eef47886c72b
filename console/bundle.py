"""Scripts as they travel: what every page needs as one file, each page's own beside it, no comments.

On a line with one bar each request costs a round trip and some 300 bytes of headers, so main.js carries what
it imports, each module in a function of its own under the name $module. The sources stay plain modules, which
a browser could load as they are; of import and export only the forms they use are understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAIN = "main.js"
_IMPORT = re.compile(r'(?m)^import ({[^}]*}|\* as \w+) from "\./(\w+)\.js";\n')
_EXPORT = re.compile(r"(?m)^export (?=(?:async )?(?:function|const|class) (\w+))")
_COMMENT = {
    ".js": re.compile(r"(?m)^\s*(//[^\n]*|/\*\*.*?\*/)\n", re.DOTALL),
    ".css": re.compile(r"/\*.*?\*/\n?", re.DOTALL),
}


def lean(text: str, suffix: str) -> str:
    """Without whole lines of comment and without indentation.

    Our scripts have no text that runs over several lines, so nothing that is shown can change.
    """
    if suffix not in _COMMENT:
        return text
    return re.sub(r"(?m)^\s+", "", _COMMENT[suffix].sub("", text))


def bundled(scripts: Mapping[str, str]) -> dict[str, str]:
    """Scripts by name ('ui.js'), as they are sent. ValueError for an import or export of another form."""
    common = _imported_by(scripts, MAIN.removesuffix(".js"))
    sent = {
        name: _on_its_own(text, common)
        for name, text in scripts.items()
        if name != MAIN and name.removesuffix(".js") not in common
    }
    parts = [_as_function(name, scripts[f"{name}.js"]) for name in common]
    names = ", ".join(f"${name}" for name in common)
    sent[MAIN] = "".join((*parts, _taken(scripts[MAIN]), f"export {{ {names} }};\n"))
    for name, text in sent.items():
        if re.search(r"(?m)^(import (?!{|\*)|export (default|let|var))", text):
            raise ValueError(f"{name}: an import or export that console/bundle.py does not know")
    return sent


def _imported_by(scripts: Mapping[str, str], name: str) -> list[str]:
    """What a module imports, directly or not, each after what it imports itself."""
    found: list[str] = []
    for _, imported in _IMPORT.findall(scripts[f"{name}.js"]):
        found += [one for one in (*_imported_by(scripts, imported), imported) if one not in found]
    return found


def _as_function(name: str, text: str) -> str:
    exports = ", ".join(_EXPORT.findall(text))
    return f"const ${name} = (() => {{\n{_EXPORT.sub('', _taken(text))}return {{ {exports} }};\n}})();\n"


def _taken(text: str) -> str:
    """Imports of a module inside the bundle: taken from the functions before it."""
    return _IMPORT.sub(lambda found: f"const {_renamed(found[1])} = ${found[2]};\n", text)


def _on_its_own(text: str, common: list[str]) -> str:
    """A page's own script: what is in the bundle is taken from there, the rest stays an import."""

    def taken(found: re.Match[str]) -> str:
        if found[2] not in common:
            return found[0]
        return f'import {{ ${found[2]} }} from "./{MAIN}";\nconst {_renamed(found[1])} = ${found[2]};\n'

    return _IMPORT.sub(taken, text)


def _renamed(names: str) -> str:
    return names.replace(" as ", ": ")
