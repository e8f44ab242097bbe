-- join_use_nulls has no effect within a view: what an item lacks is null because the column is nullable.

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
    SELECT source, item_id, max(revision) AS up_to, toNullable(max(_timestamp)) AS withdrawn_at
    FROM sluicegate.content_submitted WHERE withdrawn GROUP BY source, item_id
) AS w ON w.source = s.source AND w.item_id = s.item_id AND s.revision <= w.up_to
LEFT JOIN (
    SELECT source, item_id, revision, toNullable(argMax(action, decision_seq)) AS action,
        toNullable(argMax(basis, decision_seq)) AS basis, toNullable(argMax(_timestamp, decision_seq)) AS decided_at,
        argMax(model_version, decision_seq) AS model_version
    FROM sluicegate.content_decided WHERE final GROUP BY source, item_id, revision
) AS d ON d.source = s.source AND d.item_id = s.item_id AND d.revision = s.revision
LEFT JOIN (
    SELECT source, item_id, revision, count() AS tasks
    FROM sluicegate.review_requested WHERE purpose = 'decision' GROUP BY source, item_id, revision
) AS o ON o.source = s.source AND o.item_id = s.item_id AND o.revision = s.revision;
