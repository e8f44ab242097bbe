-- What analysts ask: one row a thing, repeats dropped, names of the field. docs/analyst.md describes every column.

CREATE OR REPLACE VIEW sluicegate.decisions AS
SELECT
    argMin(d._timestamp, d._offset) AS decided_at,
    d.source AS source, d.item_id AS item_id, d.revision AS revision,
    d.decision_seq AS decision_seq, d.final AS final,
    argMin(d.action, d._offset) AS action,
    argMin(d.categories, d._offset) AS categories,
    argMin(d.basis, d._offset) AS basis,
    argMin(d.rule, d._offset) AS rule,
    argMin(d.task_id, d._offset) AS task_id,
    argMin(d.model_version, d._offset) AS model_version,
    argMin(d.policy_version, d._offset) AS policy_version,
    argMin(d.accepted_at, d._offset) AS accepted_at,
    dateDiff('millisecond', accepted_at, decided_at) / 1000 AS seconds_to_decision,
    argMin(mapFromArrays(d.scores.category, d.scores.probability), d._offset) AS scores,
    argMin(d.event_id, d._offset) AS event_id
FROM sluicegate.content_decided AS d
GROUP BY d.source, d.item_id, d.revision, d.decision_seq, d.final;

CREATE OR REPLACE VIEW sluicegate.verdicts AS
SELECT
    min(v._timestamp) AS given_at,
    v.verdict_id AS verdict_id,
    any(v.task_id) AS task_id, any(v.source) AS source, any(v.item_id) AS item_id, any(v.revision) AS revision,
    any(v.queue) AS queue, any(v.reviewer) AS reviewer, any(v.seat) AS seat,
    anyIf(v.action, NOT v.retraction) AS action,
    anyIf(v.categories, NOT v.retraction) AS categories,
    anyIf(v.seconds_spent, NOT v.retraction) AS seconds_spent,
    anyIf(v.confidence, NOT v.retraction) AS confidence,
    anyIf(v.note, NOT v.retraction) AS note,
    max(v.retraction) AS retracted
FROM sluicegate.review_completed AS v
GROUP BY v.verdict_id;

CREATE OR REPLACE VIEW sluicegate.tasks AS
SELECT
    r.requested_at AS requested_at, r.task_id AS task_id, r.source AS source, r.item_id AS item_id,
    r.revision AS revision, r.decision_seq AS decision_seq, r.purpose AS purpose, r.queue AS queue,
    r.selected_because AS selected_because, r.selection_probability AS selection_probability,
    r.severity AS severity, r.deadline AS deadline, r.votes_wanted AS votes_wanted, r.model_version AS model_version,
    e.ended_at AS ended_at, e.how AS ended_how, e.action AS action, e.agreement AS agreement,
    e.ended_at IS NULL AS open,
    dateDiff('millisecond', requested_at, coalesce(e.ended_at, now64(3, 'UTC'))) / 1000 AS seconds_open
FROM (
    SELECT
        q.task_id AS task_id, min(q._timestamp) AS requested_at, any(q.source) AS source, any(q.item_id) AS item_id,
        any(q.revision) AS revision, any(q.decision_seq) AS decision_seq, any(q.purpose) AS purpose,
        any(q.queue) AS queue, any(q.selection.reason) AS selected_because,
        any(q.selection.probability) AS selection_probability, any(q.severity) AS severity,
        any(q.deadline) AS deadline, any(q.votes_wanted) AS votes_wanted, any(q.model_version) AS model_version
    FROM sluicegate.review_requested AS q GROUP BY q.task_id
) AS r
LEFT JOIN (
    SELECT task_id, min(at) AS ended_at, argMin(how, at) AS how, any(settled_as) AS action, any(agreed_by) AS agreement
    FROM (
        SELECT s.task_id AS task_id, toNullable(s._timestamp) AS at, if(s.agreed, 'settled', 'not agreed') AS how,
            s.action AS settled_as, toNullable(s.agreement) AS agreed_by
        FROM sluicegate.review_settled AS s
        UNION ALL
        SELECT assumeNotNull(c.task_id), toNullable(c._timestamp), toString(c.reason), NULL, NULL
        FROM sluicegate.review_closed AS c WHERE c.task_id IS NOT NULL
        UNION ALL
        SELECT t.task_id, toNullable(c._timestamp), toString(c.reason), NULL, NULL
        FROM sluicegate.review_closed AS c
        INNER JOIN (SELECT DISTINCT source, item_id, revision, task_id FROM sluicegate.review_requested) AS t
            ON t.source = c.source AND t.item_id = c.item_id
        WHERE c.task_id IS NULL AND t.revision <= c.revision
    ) GROUP BY task_id
) AS e ON e.task_id = r.task_id
SETTINGS join_use_nulls = 1;

CREATE OR REPLACE VIEW sluicegate.items AS
SELECT
    s.accepted_at AS accepted_at, s.source AS source, s.item_id AS item_id, s.revision AS revision,
    s.kind AS kind, s.text AS text, s.language AS language, s.author_id AS author_id,
    w.withdrawn_at AS withdrawn_at,
    d.action AS action, d.basis AS basis, d.decided_at AS decided_at, d.model_version AS model_version,
    multiIf(withdrawn_at IS NOT NULL, 'withdrawn', d.decided_at IS NOT NULL, 'decided',
        o.tasks > 0, 'in_review', 'received') AS state
FROM (
    SELECT
        source, item_id, revision, min(_timestamp) AS accepted_at, argMin(item.kind, _offset) AS kind,
        argMin(item.text, _offset) AS text, argMin(item.language, _offset) AS language,
        argMin(item.author.id, _offset) AS author_id
    FROM sluicegate.content_submitted WHERE NOT withdrawn GROUP BY source, item_id, revision
) AS s
LEFT JOIN (
    SELECT source, item_id, max(revision) AS up_to, max(_timestamp) AS withdrawn_at
    FROM sluicegate.content_submitted WHERE withdrawn GROUP BY source, item_id
) AS w ON w.source = s.source AND w.item_id = s.item_id AND s.revision <= w.up_to
LEFT JOIN (
    SELECT source, item_id, revision, argMax(action, decision_seq) AS action, argMax(basis, decision_seq) AS basis,
        argMax(_timestamp, decision_seq) AS decided_at, argMax(model_version, decision_seq) AS model_version
    FROM sluicegate.content_decided WHERE final GROUP BY source, item_id, revision
) AS d ON d.source = s.source AND d.item_id = s.item_id AND d.revision = s.revision
LEFT JOIN (
    SELECT source, item_id, revision, count() AS tasks
    FROM sluicegate.review_requested WHERE purpose = 'decision' GROUP BY source, item_id, revision
) AS o ON o.source = s.source AND o.item_id = s.item_id AND o.revision = s.revision
SETTINGS join_use_nulls = 1;

CREATE OR REPLACE VIEW sluicegate.labels AS
SELECT
    l._timestamp AS recorded_at, l.source AS source, l.item_id AS item_id, l.revision AS revision, l.kind AS kind,
    l.text AS text, l.language AS language, l.action AS action, each.category AS category, each.value AS value,
    l.purpose AS purpose, l.queue AS queue, l.reviewers AS reviewers, l.selection.reason AS selected_because,
    l.selection.probability AS selection_probability, l.agreement AS agreement, l.model_version AS model_version,
    l.task_id AS task_id
FROM (SELECT * FROM sluicegate.label_recorded ORDER BY _offset LIMIT 1 BY event_id) AS l
ARRAY JOIN l.labels AS each;

CREATE OR REPLACE VIEW sluicegate.models AS
SELECT
    m._timestamp AS released_at, m.model_version AS model_version, m.name AS name, m.tier AS tier,
    m.categories AS categories, m.replaces AS replaces, m.released_by AS released_by, m.reason AS reason,
    m.metrics AS metrics, m.lineage AS lineage
FROM (SELECT * FROM sluicegate.model_released ORDER BY _offset LIMIT 1 BY event_id) AS m;

CREATE OR REPLACE VIEW sluicegate.alarms AS
SELECT
    a._timestamp AS raised_at, a.alarm AS alarm, a.active AS active, a.category AS category,
    a.model_version AS model_version, a.value AS value, a.limit AS limit, a.count AS events,
    a.window_start AS window_start, a.window_end AS window_end, a.reason AS reason
FROM (SELECT * FROM sluicegate.alarm_raised ORDER BY _offset LIMIT 1 BY event_id) AS a;

-- Submissions by minute, kept as they come in: what the volume chart reads.
CREATE TABLE IF NOT EXISTS sluicegate.submitted_by_minute (
    minute DateTime('UTC'),
    source LowCardinality(String),
    withdrawn Bool,
    records UInt64
) ENGINE = SummingMergeTree ORDER BY (minute, source, withdrawn)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS sluicegate.submitted_by_minute_view TO sluicegate.submitted_by_minute AS
SELECT toStartOfMinute(_timestamp) AS minute, source, withdrawn, count() AS records
FROM sluicegate.content_submitted GROUP BY minute, source, withdrawn;
