"""Histograms of what was scored, one a model version and window."""

import numpy as np

from services.classifier.summary import Scoring, Summary

CATEGORIES = ("toxicity", "spam")


def scoring(*probability: list[float], version: str = "m-1") -> Scoring:
    """Of one call that scored these items."""
    found = Scoring()
    found.add(version, CATEGORIES, np.array(probability, float).reshape(-1, 2))
    return found


def test_a_summary_counts_what_was_scored_in_its_window() -> None:
    summary = Summary("classifier-0", every=10_000)
    assert summary.take(0) == []
    summary.add([scoring([0.0, 1.0], [0.049, 0.95]), scoring()])
    summary.add([scoring([0.05, 0.5])])
    assert summary.take(9_999) == []
    (event,) = summary.take(10_000)
    assert (event.items, event.model_version) == (3, "m-1")
    histograms = {histogram.category: histogram.counts for histogram in event.histograms}
    assert histograms["toxicity"][:2] == (2, 1)
    assert histograms["spam"][10] == 1 and histograms["spam"][19] == 2
    assert summary.take(20_000) == [], "a window without items says nothing"


def test_probabilities_a_hair_outside_of_their_range_are_in_its_last_bins() -> None:
    summary = Summary("classifier-0", every=1)
    summary.take(0)
    summary.add([scoring([-1e-9, float(np.nextafter(np.float32(1), np.float32(2)))])])
    (event,) = summary.take(1)
    spam, toxicity = event.histograms
    assert (toxicity.counts[0], spam.counts[19]) == (1, 1)


def test_a_summary_keeps_models_apart_and_categories_in_any_order() -> None:
    """A verdict in line brings the scores of the model that ingest had, as they stood there."""
    summary = Summary("classifier-0", every=1)
    summary.take(0)
    turned = Scoring()
    turned.add("m-1", ("spam", "toxicity"), np.array([[1.0, 0.0]], np.float32))
    summary.add([turned, scoring([0.0, 1.0]), scoring([0.5, 0.5], version="m-2")])
    first, second = summary.take(1)
    assert [(event.model_version, event.items) for event in (first, second)] == [("m-1", 2), ("m-2", 1)]
    histograms = {histogram.category: histogram.counts for histogram in first.histograms}
    assert (histograms["toxicity"][0], histograms["spam"][19]) == (2, 2)
