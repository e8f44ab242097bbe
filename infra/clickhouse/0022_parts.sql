-- What the sink's parts cost. A part is one file up to 1 GiB (before compression) instead of some 80, and merged row by row:
-- vertical merges took three times the CPU. Merges wait for about 10 parts of a size instead of 5: each row is written again
-- half as often; a busy day leaves some 80 parts in a table.

ALTER TABLE sluicegate.content_submitted MODIFY SETTING
    min_bytes_for_wide_part = 1073741824,
    vertical_merge_algorithm_min_bytes_to_activate = 1073741824,
    merge_selector_base = 10;

ALTER TABLE sluicegate.content_classified MODIFY SETTING
    min_bytes_for_wide_part = 1073741824,
    vertical_merge_algorithm_min_bytes_to_activate = 1073741824,
    merge_selector_base = 10;

ALTER TABLE sluicegate.content_decided MODIFY SETTING
    min_bytes_for_wide_part = 1073741824,
    vertical_merge_algorithm_min_bytes_to_activate = 1073741824,
    merge_selector_base = 10;

ALTER TABLE sluicegate.review_requested MODIFY SETTING
    min_bytes_for_wide_part = 1073741824,
    vertical_merge_algorithm_min_bytes_to_activate = 1073741824,
    merge_selector_base = 10;

ALTER TABLE sluicegate.blocks MODIFY SETTING merge_selector_base = 10;

ALTER TABLE sluicegate.positions MODIFY SETTING merge_selector_base = 10;

ALTER TABLE sluicegate.submitted_by_minute MODIFY SETTING merge_selector_base = 10;
