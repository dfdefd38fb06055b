"""`python -m tasks templates`, beside a real collection."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.database import Database
from typer.testing import CliRunner, Result

from config import logs, settings
from tasks.__main__ import cli
from tasks.commands.templates import importing


Run = Callable[..., Result]

GREETING = {
    "_id": "hi",
    "subject": "Hi {{name}}",
    "html": "<p>{{name}}</p>{{> sign}}",
    "sample": {"name": "Ann"},
}
SIGN = {"_id": "sign", "partial": True, "html": "<i>the team</i>"}


@pytest.fixture
def collection(database: Database[dict[str, Any]]) -> Collection[dict[str, Any]]:
    """The templates."""
    found = database["templates"]
    found.insert_many([dict(GREETING), dict(SIGN)])
    return found


@pytest.fixture
def run(
    collection: Collection[dict[str, Any]],
    mongodb_uri: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Run]:
    """Run the command in this process, in an empty folder."""
    variables = {
        "MONGODB_URI": mongodb_uri,
        "MONGODB_DATABASE": collection.database.name,
        "TEMPLATES_COLLECTION": collection.name,
        "CELERY_BROKER_URL": "redis://127.0.0.1/0",
        "SMTP_CONNECTION_URI": "smtp://127.0.0.1:1",
        "DEFAULT_FROM": "a@example.com",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logs, "configure", lambda *_: None)  # of the whole process
    settings.load.cache_clear()

    def invoke(*arguments: object, code: int = 0, **given: Any) -> Result:
        result = CliRunner().invoke(cli, ["templates", *map(str, arguments)], **given)
        assert result.exit_code == code, result.output
        return result

    yield invoke
    settings.load.cache_clear()


def test_list(run: Run, collection: Collection[dict[str, Any]]) -> None:
    """Every template is listed with fields, data, partials, time and errors."""
    collection.insert_one({"_id": "bad\x1b[2J", "text": "{{#if}", "attachments": []})

    bad, greeting, sign = json.loads(run("list", "--json").output)

    assert greeting["name"] == "hi"
    assert greeting["fields"] == ["subject", "html"]
    assert (greeting["data"], greeting["partials"]) == (["name"], ["sign"])
    assert (greeting["errors"], greeting["partial"], sign["partial"]) == ([], False, True)
    assert bad["fields"] == ["text", "attachments"]
    assert bad["errors"][0].startswith("text, line 1, column ")
    shown = run("list").output
    assert "\x1b" not in shown
    assert "bad·[2J: text, line 1, column " in shown


def test_check(run: Run, collection: Collection[dict[str, Any]]) -> None:
    """All errors of all templates come at once, and the exit code says that there are some."""
    assert run("check").output == "2 templates, 0 errors\n"
    collection.insert_many(
        [
            {"_id": "a", "subject": "{{#x}}", "text": "{{> nobody}}", "html": "{{> sign}}"},
            {"_id": "b", "text": "{{> (lookup . 'p')}}", "sample": {"p": "none"}},
            {"_id": "c", "name": "hi", "text": "x"},
            {"_id": "d", "text": "{{#> nobody}}instead{{/nobody}}", "sample": {"x": b""}},
            {"_id": "e", "html": 5, "sample": []},
        ]
    )

    found = json.loads(run("check", "--json", code=1).output)

    errors = [(each["name"], each["error"]) for each in found["errors"]]
    assert found["templates"] == 7
    assert [name for name, _ in errors] == ["a", "a", "b", "d", "e", "e", "hi"]
    assert errors[0][1].startswith("subject, line 1, column 7: expected ")
    assert errors[1][1] == 'text: there is no partial "nobody" with a text'
    assert errors[2][1].startswith('text, line 1, column 5: there is no partial "none"')
    assert errors[3][1] == "sample.x is binary, which has no text"
    assert errors[4:6] == [
        ("e", "html must be a string, not a number"),
        ("e", "sample must be a map"),
    ]
    assert errors[6][1] == 'is never used: the document with _id "hi" has the same name'


def test_preview(run: Run, tmp_path: Path) -> None:
    """A template is rendered with its sample, or with the data of a file."""
    (tmp_path / "data.json").write_text('{"name": "<Bob>"}')

    assert json.loads(run("preview", "hi", "--json").output)["subject"] == "Hi Ann"
    fields = json.loads(run("preview", "hi", "--json", "--data", "data.json").output)
    assert fields == {"subject": "Hi <Bob>", "html": "<p>&lt;Bob&gt;</p><i>the team</i>"}
    page = run("preview", "hi", "--html").output
    assert "&lt;p&gt;Ann&lt;/p&gt;&lt;i&gt;the team&lt;/i&gt;" in page
    assert '<iframe sandbox="" ' in page
    assert 'the closest name is "hi"' in run("preview", "hii", code=1).output


def folder(root: Path, **templates: dict[str, str]) -> Path:
    for name, files in templates.items():
        place = root / name.replace("__", "/")
        place.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (place / file.replace("_", ".")).write_text(text)
    return root


def test_export_and_import_are_inverse(
    run: Run, collection: Collection[dict[str, Any]], tmp_path: Path
) -> None:
    """What is exported and imported again is as before; names cannot leave the folder."""
    names = ["../x", "..", ".", "a/b", "/etc", "ä ö", "%41", "partials", ".git", "A" * 200, "~"]
    collection.insert_many([{"_id": f"id {name}", "name": name, "subject": name} for name in names])
    collection.insert_one(
        {
            "_id": "full",
            "subject": "s",
            "text": "t\r\n",
            "amp": "a\n\n",
            "attachments": [{"filename": "{{x}}", "content": b"\x00"}],
            "sample": {"x": "ü", "n": 2.5},
            "own": 1,
        }
    )
    before = list(collection.find({}))
    out = tmp_path / "deep" / "out"

    run("export", out, "--yes")

    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert all(path.startswith("deep/out/") for path in written)
    assert (out / "%2E.%2Fx" / "subject.hbs").read_text() == "../x\n"
    assert (out / "partials" / "subject.hbs").exists()
    assert (out / "partials" / "sign" / "html.hbs").read_text() == "<i>the team</i>"
    assert json.loads(run("export", out, "--dry-run", "--json").output)["changes"] == []
    assert json.loads(run("import", out, "--yes", "--json").output)["changes"] == []

    collection.delete_many({})
    run("import", out, "--yes")
    shown = {each.get("name", each["_id"]): each for each in collection.find({})}
    assert set(shown) == {each.get("name", each["_id"]) for each in before}
    full = shown["full"]
    assert {name: full[name] for name in ("subject", "text", "amp", "attachments", "sample")} == {
        name: before[-1][name] for name in ("subject", "text", "amp", "attachments", "sample")
    }


def test_a_name_no_folder_can_have(
    run: Run, collection: Collection[dict[str, Any]], tmp_path: Path
) -> None:
    """A name too long for a folder is said, and nothing is written."""
    collection.insert_one({"_id": "ü" * 200, "text": "x"})

    assert "no folder can be named after" in run("export", "out", "--yes", code=1).output
    assert not (tmp_path / "out").exists()


def test_import(run: Run, collection: Collection[dict[str, Any]], tmp_path: Path) -> None:
    """The difference is shown; what is new is added, what differs changed, the rest stays."""
    collection.update_one({"_id": "hi"}, {"$set": {"own": "mine", "amp": "old"}})
    root = folder(
        tmp_path / "in",
        hi={"subject_hbs": "Hello {{name}}\n", "html_hbs": "<p>{{name}}</p>{{> sign}}"},
        new={"text_hbs": "{{> foot}}", "sample_json": '{"x": 1}'},
        partials__foot={"text_hbs": "--"},
    )

    shown = run("import", root, "--dry-run").output
    assert "change hi\n--- hi/subject.hbs\n+++ hi/subject.hbs\n" in shown
    assert "\n-Hi {{name}}\n+Hello {{name}}\n" in shown
    assert "Nothing was done." in shown
    assert collection.count_documents({}) == 2
    assert run("import", root, "--yes").output.endswith("2 added, 1 changed\n")

    hi, new, foot = (collection.find_one({"_id": id}) for id in ("hi", "new", "foot"))
    assert hi is not None
    assert (hi["subject"], hi["own"], "amp" in hi) == ("Hello {{name}}", "mine", False)
    assert new is not None
    assert (new["text"], new["sample"]) == ("{{> foot}}", {"x": 1})
    assert foot is not None
    assert foot["partial"] is True
    assert "updateTime" in foot
    assert collection.find_one({"_id": "sign"}) is not None
    assert "2 templates" not in run("import", root, "--yes").output


def test_import_deletes_when_told(
    run: Run, collection: Collection[dict[str, Any]], tmp_path: Path
) -> None:
    """With --delete, what the folder does not have goes; a partial may become a template."""
    root = folder(tmp_path / "in", sign={"text_hbs": "x"})

    result = json.loads(run("import", root, "--yes", "--delete", "--json").output)

    assert [(each["action"], each["name"]) for each in result["changes"]] == [
        ("delete", "sign"),
        ("delete", "hi"),
        ("add", "sign"),
    ]
    [only] = collection.find({})
    assert (only["_id"], only["text"], only.get("partial")) == ("sign", "x", None)


def test_import_asks(run: Run, collection: Collection[dict[str, Any]], tmp_path: Path) -> None:
    """Without a terminal and without --yes nothing is done."""
    root = folder(tmp_path / "in", new={"text_hbs": "x"})

    assert "Say --yes" in run("import", root, code=1, input="y\n").output
    assert collection.count_documents({}) == 2


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"text_hbs": "{{#if}"}, "new: text, line 1, column "),
        ({"text_hbs": "{{> nobody}}"}, 'new: text: there is no partial "nobody" with a text'),
        ({"text_hbs": "x", "sample_json": "{"}, "new/sample.json: "),
        ({"text_hbs": "x", "attachments_json": '[{"filename": 5}]'}, "new: attachments.0.filename"),
    ],
)
def test_broken_templates_are_not_imported(
    run: Run,
    collection: Collection[dict[str, Any]],
    tmp_path: Path,
    files: dict[str, str],
    words: str,
) -> None:
    """A template that no mail could use is refused, and all others with it."""
    collection.insert_one({"_id": "old", "text": "{{{"})
    root = folder(tmp_path / "in", new=files, good={"text_hbs": "x"})

    assert words in run("import", root, "--yes", code=1).output
    assert collection.count_documents({}) == 3


def test_import_all_or_nothing(
    run: Run,
    collection: Collection[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What somebody else changed after the difference was shown is not overwritten."""
    root = folder(
        tmp_path / "in", aaa={"text_hbs": "x"}, hi={"text_hbs": "x", "subject_hbs": "mine"}
    )
    write = importing._write

    def late(*arguments: Any) -> None:
        collection.update_one({"_id": "hi"}, {"$set": {"subject": "theirs"}})
        write(*arguments)

    monkeypatch.setattr(importing, "_write", late)

    assert "hi was changed meanwhile" in run("import", root, "--yes", code=1).output
    hi = collection.find_one({"_id": "hi"})
    assert hi is not None
    assert hi["subject"] == "theirs"
    assert collection.count_documents({}) == 2


def test_links_out_of_the_folder(run: Run, tmp_path: Path) -> None:
    """Neither command follows a link that leads out."""
    (tmp_path / "secret").write_text("secret")
    root = folder(tmp_path / "in", new={"text_hbs": "x"})
    (root / "new" / "html.hbs").symlink_to(tmp_path / "secret")
    assert "leads out of" in run("import", root, "--yes", code=1).output

    (tmp_path / "elsewhere").mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / "hi").symlink_to(tmp_path / "elsewhere")
    assert "leads out of" in run("export", out, "--yes", code=1).output
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_export_deletes_only_its_own(run: Run, tmp_path: Path) -> None:
    """With --delete, files of templates that are gone go; everything else in the folder stays."""
    out = folder(tmp_path / "out", gone={"text_hbs": "x"}, kept={"text_hbs": "x", "notes_txt": "x"})
    (out / "README.md").write_text("x")

    run("export", out, "--yes")
    assert (out / "gone" / "text.hbs").exists()
    run("export", out, "--yes", "--delete")

    assert not (out / "gone").exists()
    assert [path.name for path in (out / "kept").iterdir()] == ["notes.txt"]
    assert (out / "README.md").exists()


def test_no_collection(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TEMPLATES_COLLECTION the command says what is missing."""
    monkeypatch.delenv("TEMPLATES_COLLECTION")
    settings.load.cache_clear()

    assert "set TEMPLATES_COLLECTION" in run("list", code=1).output
