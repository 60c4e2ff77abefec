"""The HTML report of a validation study: one self-contained file."""

from __future__ import annotations

from ballistics.reports.contents import study_contents as contents
from ballistics.reports.figures.evidence import study_figures, svg_data_uri
from ballistics.reports.pages.study_pairs import withheld_cards, worst_cards
from ballistics.reports.wording import study as wording
from ballistics.reports.wording.comparison import source_of
from ballistics.reports.wording.striation import kind_in_plural
from ballistics.studies import ScanStudy


def study_report(study: ScanStudy) -> str:
    """Return the report as the text of one HTML file; the same study gives the same bytes.

    Parameters
    ----------
    study : ScanStudy
        From `ballistics.studies.scan_study.study_of_scans`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ballistics.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["source"] = source_of
    environment.filters["in_plural"] = kind_in_plural
    scores = [
        {
            "name": contents.score_names(study)[name],
            "figures": [
                (contents.FIGURE_TITLES[title], contents.FIGURE_TEXTS[title], svg_data_uri(figure))
                for title, figure in study_figures(score_study, contents.score_names(study)[name]).items()
            ],
        }
        for name, score_study in contents.studies(study).items()
    ]
    references = dict.fromkeys(
        (
            *study.scored.provenance.references,
            *(
                reference
                for score_study in contents.studies(study).values()
                for reference in score_study.fitted.model.references
            ),
            *(
                score_study.bounds.reference
                for score_study in contents.studies(study).values()
                if score_study.bounds.reference
            ),
        )
    )
    kind = study.scored.mark_kind
    say = wording.saying(kind)
    return environment.get_template("study.html").render(
        study=study,
        metrics=study.headline.metrics,
        tested=wording.what_was_tested(study),
        erred=wording.erred(study.headline, kind),
        support=wording.support(study.headline, kind),
        quality=wording.quality(study.headline, kind),
        cllr=wording.number(study.headline.metrics.cllr),
        limits=wording.limits(kind),
        source=wording.nouns(kind).source,
        scores=scores,
        acceptance=study.acceptance,
        acceptance_rows=contents.acceptance_rows(study),
        acceptance_lines=contents.acceptance_lines(study),
        metric_rows=contents.metric_rows(study),
        limits_lines=contents.limits_lines(study),
        flagged_metric_rows=contents.flagged_metric_rows(study),
        serious_scans=contents.serious_scans_line(study),
        flagged_rows=contents.flagged_rows(study),
        n_flagged=len(study.flagged.withheld) + len(study.flagged.serious),
        worst=[
            (say("Fired in one firearm: the lowest scores"), worst_cards(study, True)),
            (say("Fired in two firearms: the highest scores"), worst_cards(study, False)),
            ("No likelihood ratio stated", withheld_cards(study)),
        ],
        repeat_rows=contents.repeat_rows(study),
        repeat_columns=contents.repeat_columns(study),
        count_name=contents.score_names(study)["count"],
        firearm_rows=contents.firearm_rows(study.headline),
        misleading_rows=contents.misleading_rows(study),
        group_rows=contents.group_rows(study.headline),
        repeatability=contents.repeatability_lines(study),
        left_out=contents.left_out_rows(study),
        method_rows=contents.method_rows(study),
        model_rows=contents.model_rows(study),
        hash_rows=contents.hash_rows(study),
        scan_rows=contents.scan_rows(study),
        references=list(references),
        versions=study.scored.provenance.versions,
    )
