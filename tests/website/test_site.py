"""The site that `make docs` builds: every page is found, every link leads somewhere, nothing comes from elsewhere."""

import os
from pathlib import Path

import pytest

from deploy.website.build import GENERATOR, NotBuilt, build
from deploy.website.links import problems_of
from deploy.website.navigation import listed_pages
from deploy.website.reference import made_pages
from deploy.website.sources import page_paths

ADD = "add it to `nav` in deploy/website/zensical.toml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once, as `make docs` does."""
    if not GENERATOR.is_file():
        reason = "no Zensical: make setup-docs"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return build(tmp_path_factory.mktemp("site"))


def test_every_page_is_in_the_navigation(project: Path) -> None:
    """A page that nobody finds might as well not be there."""
    listed = set(listed_pages())
    pages = {*page_paths(project), *(name for name, _ in made_pages())}
    assert [f"{page}: {ADD}" for page in sorted(pages - listed)] == []
    assert [
        f"{page}: isn't there, take it out of deploy/website/zensical.toml" for page in sorted(listed - pages)
    ] == []


def test_no_page_is_in_the_navigation_twice() -> None:
    """A reader comes back to one place."""
    listed = listed_pages()
    assert sorted(listed) == sorted(set(listed))


def test_the_site_is_built_and_every_link_leads_somewhere(site: Path) -> None:
    """`build` itself refuses a site with a broken link; each page of the navigation is there."""
    for page in listed_pages():
        path = page.removesuffix(".md") if not page.endswith("README.md") else page.replace("README.md", "index")
        assert (site / f"{path}.html").is_file(), page


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """Each page forbids it, so not even a script of the theme can."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        text = page.read_text()
        assert "content=\"default-src 'self' 'unsafe-inline' data: blob:\"" in text, page
        assert "fonts.g" not in text, page


def site_of(folder: Path, **pages: str) -> list[str]:
    """Write a small site; return what is wrong with it."""
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    return problems_of(folder)


def test_good_links_are_no_problem(tmp_path: Path) -> None:
    """To a page, a section of it, a folder's page, and to elsewhere."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more/index.html").write_text('<h1 id="up">More</h1><a href="../one.html#a%20b">back</a>')
    one = '<h2 id="a b"><a href="more/#up">in</a><a href="#a%20b">here</a><a href="https://www.seam.co">out</a></h2>'
    assert site_of(tmp_path, one=one) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<a href="two.html">two</a>', "links to two.html, which isn't there"),
        ('<a href="#no">no</a>', "links to #no, where no such section is"),
        ('<img src="picture.png">', "links to picture.png, which isn't there"),
        ('<script src="https://cdn.example/x.js"></script>', "loads https://cdn.example/x.js from elsewhere"),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', "loads //cdn.example/x.css from elsewhere"),
    ],
)
def test_each_kind_of_problem_is_told_with_its_page(tmp_path: Path, text: str, problem: str) -> None:
    """The control of the check."""
    assert site_of(tmp_path, one=text) == [f"one.html: {problem}"]


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    """What is built into is emptied first: never a folder that the site didn't make."""
    (tmp_path / "letter.txt").write_text("dear")
    if not GENERATOR.is_file():
        pytest.skip("no Zensical: make setup-docs")
    with pytest.raises(NotBuilt, match="holds something else"):
        build(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "dear"
