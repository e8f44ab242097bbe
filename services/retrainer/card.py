"""The model card of the starter model, written from its manifest."""

# ruff: noqa: E501 -- a row of a Markdown table is one line
from services.scoring.manifest import Manifest

_TEXT = """# Model card: {version}

A linear classifier over hashed byte n-grams (1 to 5 bytes, 2^18 rows, float16) in one ONNX graph. Input: text, as UTF-8
after normalisation version {normalisation} (docs/normalisation.md). Output: one calibrated probability for each of {categories}, and how far
apart a committee is on it: {committee}, in the same graph.
It is what a new installation starts with; the labels of its own moderators replace it.

## Intended use and limits

- It scores short English posts, to decide what is clear and to send the rest to people. Its thresholds belong to the
  policy, and a policy should be certified on labels of the platform it is used on.
- Words in disguise are read as what they stand for, where that can be told (see "disguised" below); accents, codes and
  whole words in look-alike letters of another script are left alone.
- It knows surface text only: no context, irony, images, or language but English. It inherits the labels of its data:
  reclaimed slurs and dialect are scored as offensive more often than they should be (Sap et al. 2019 show this for the
  tweets used here). It must not be the only judge of anybody.
- `hate` is weak (see below): its positives are rare and its annotators disagreed. Use it to choose what people see.
- A text of more than 512 bytes gets the highest score of its windows, which is not calibrated for long texts.

## Data

Texts are split by SHA-256: 20% test (the figures below), 10% audit (calibration, regularisation
and weights), 70% pool (training). Nothing was trained on the test split; which data sets to join was first tried with its
figures in view and then settled on the audit split, so take the last digit with a grain of salt. A weight table of hashed n-grams holds no post. In use:

| data set | used for | licence and source |
|---|---|---|
| Hate Speech and Offensive Language (`davidson`), 24,783 tweets | toxicity (offensive or hate), hate; negatives of spam | MIT. Davidson, Warmsley, Macy, Weber: "Automated Hate Speech Detection and the Problem of Offensive Language", ICWSM 2017 |
| SMS Spam Collection (`sms_spam`), 5,574 messages | spam; negatives of toxicity and hate | CC BY 4.0. T. A. Almeida, J. M. Gómez Hidalgo: "SMS Spam Collection", UCI Machine Learning Repository, 2011; labels unchanged, ham taken as not toxic |
| ConvAbuse (`convabuse`), 4,059 user turns | toxicity (most votes say abusive); negatives of hate and spam | CC BY 4.0. A. Cercas Curry, G. Abercrombie, V. Rieser: "ConvAbuse: Data, Analysis, and Benchmarks for Nuanced Abuse Detection in Conversational AI", EMNLP 2021; votes joined to a majority |
| SemEval-2021 Task 5 (`toxic_spans`), 7,939 comments | toxicity at weight 0.3, and the same comments without their toxic spans as negatives; negatives of spam at weight 0.3 | CC0. J. Pavlopoulos, J. Sorensen, L. Laugier, I. Androutsopoulos: "SemEval-2021 Task 5: Toxic Spans Detection", 2021 |

Assumed, not annotated: SMS are neither toxic nor hateful; tweets, comments and conversation turns are not spam; turns that most
found harmless are not hateful. Without them every tweet-like post scores as toxic and every unfamiliar one as spam.

## Held-out figures

ECE: expected calibration error, 15 bins of equal mass. A dash: undefined, as the data set has one answer only; its mean
score says what the model makes of it. Calibration: {calibration}; a curve was taken where cross-validation
there found it better than a line by more than a standard error. No text of the figures below calibrated anything.
`disguised`: the same texts with half of their words in disguise, each by one trick of `services/retrainer/evasion.py` at
random (look-alike letters, digits for letters, invisible characters, marks, stretched letters, letters apart), whatever the
words say; `not undone`: the same with case folding alone, as normalisation version 1 did.

| category | data set | n | positives | ROC AUC | average precision | ECE | Brier | mean score |
|---|---|---|---|---|---|---|---|---|
{rows}

Toxic spans (SemEval-2021 Task 5, the held-out fifth of its training split by the fixed hash): character F1 {span_f1}, with
words of a weight of {span_threshold} log-odds or more marked; the threshold was chosen on the other four fifths.

## Reproduce

`sluicegate model build-starter --data DIR --out infra/starter`, where DIR holds `davidson.csv`, `sms_spam.tsv`,
`convabuse.csv` and `tsd_train.csv`; their SHA-256 are in the manifest. The same data and pinned libraries on the same
processor family give the same bytes.
"""


def render(told: Manifest) -> str:
    """MODEL_CARD.md of a starter bundle."""
    columns = ("n", "positives", "roc_auc", "average_precision", "ece", "brier", "mean_score")
    rows = [
        f"| {category} | {corpus} | " + " | ".join(_cell(figures[column]) for column in columns) + " |"
        for category, corpora in told.metrics.items()
        for corpus, figures in corpora.items()
    ]
    return _TEXT.format(
        version=told.model_version,
        normalisation=told.normalisation,
        categories=", ".join(told.categories),
        calibration=told.calibration,
        rows="\n".join(rows),
        committee=told.lineage["committee"],
        span_f1=told.metrics["toxicity"]["toxic_spans"]["span_f1"],
        span_threshold=told.metrics["toxicity"]["toxic_spans"]["span_threshold"],
    )


def _cell(value: float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
