-- A hold that lasted too long ends with a second interim decision of the same number.

ALTER TABLE sluicegate.content_decided ADD COLUMN IF NOT EXISTS interim UInt16;

CREATE OR REPLACE VIEW sluicegate.decisions AS
SELECT
    argMin(d._timestamp, d._offset) AS decided_at,
    d.source AS source, d.item_id AS item_id, d.revision AS revision,
    d.decision_seq AS decision_seq, d.final AS final,
    d.interim AS interim,
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
GROUP BY d.source, d.item_id, d.revision, d.decision_seq, d.final, d.interim;
