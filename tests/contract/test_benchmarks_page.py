"""The page of figures shows what was measured last."""

from bench.page import PAGE, page


def test_the_page_of_figures_is_what_the_results_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m bench.page`"
