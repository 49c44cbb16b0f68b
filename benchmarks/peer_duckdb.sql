-- Six rules of SPEC section 4 in SQL, over events sorted by (platform, session, seq) with one player a session.
-- Windows without PARTITION BY stream over the sorted file; with it the whole table would be hashed and sorted.

CREATE MACRO allowed_s(delta_ms) AS getvariable('pace') * delta_ms / 1000;

-- One row an event, beside what the event before it said. A `play` after a `seek` that repeats the position before it
-- stands where the seek landed.
CREATE TEMP VIEW standing AS
SELECT *, CASE WHEN type = 'play' AND lag(type) OVER () = 'seek' AND same
               AND abs(position_s - lag(from_s) OVER ()) <= getvariable('slack_s') + 1e-6
               THEN lag(position_s) OVER () ELSE position_s END AS stands_s
FROM (SELECT *, platform_id = lag(platform_id) OVER () AND session_id = lag(session_id) OVER () AS same
      FROM read_parquet(getvariable('events')));

-- The interval that ends at each event. plays is NULL or false for a session's first event.
CREATE TEMP VIEW intervals AS
SELECT *, at_ms - begin_ms AS delta_ms, same AND was_playing AND was_type <> 'player_closed' AS plays,
       CASE WHEN type = 'seek' THEN coalesce(from_s, start_s) ELSE stands_s END AS end_s
FROM (SELECT *, lag(at_ms) OVER () AS begin_ms, lag(stands_s) OVER () AS start_s, lag(playing) OVER () AS was_playing,
             lag(type) OVER () AS was_type
      FROM standing);

-- Runs: neighbouring intervals of one kind that go on where the one before ended, in time and in the lesson.
CREATE TEMP TABLE runs AS
SELECT any_value(platform_id) AS platform_id, any_value(session_id) AS session_id, any_value(kind) AS kind,
       min(begin_ms) AS begin_ms, max(at_ms) AS end_ms, min(start_s) AS start_s, max(end_s) AS end_s,
       min(received_ms - at_ms) AS offset_ms,
       coalesce(sum(greatest(0, greatest(0, end_s - start_s) - allowed_s(delta_ms)))
                FILTER (plays AND delta_ms >= 0 AND NOT (type = 'seek' AND from_s IS NULL)), 0) AS gained_s,
       bool_or(playing AND rate > getvariable('pace') + 1e-6) AS declares
FROM (SELECT *, sum(1 - goes_on) OVER (ROWS UNBOUNDED PRECEDING) AS run
      FROM (SELECT *, coalesce(same AND kind = lag(kind) OVER () AND start_s = lag(end_s) OVER (), false)::INT AS goes_on
            FROM (SELECT *, CASE WHEN plays AND delta_ms > 0 AND delta_ms <= getvariable('silence_ms')
                                 THEN CASE WHEN end_s >= start_s
                                           AND end_s - start_s - allowed_s(delta_ms) <= getvariable('slack_s') + 1e-6
                                           THEN 'watched' ELSE 'played' END
                                 ELSE 'not' END AS kind
                  FROM intervals)))
GROUP BY run;

CREATE TEMP TABLE enrolments AS
FROM read_json(getvariable('enrolments'), columns = {enrolment_id: 'VARCHAR', class_id: 'VARCHAR',
     learner_id: 'VARCHAR'});

CREATE TEMP TABLE sittings AS
SELECT platform_id, session_id, platform_id || '/' || session_id AS subject_id, learner_id, enrolment_id, lesson_no,
       coalesce(playing_ms, 0) AS playing_ms, gained_s, declares, first_ms, last_ms,
       greatest(least(opened_received_ms - opened_at_ms, offset_ms),
                opened_received_ms - opened_at_ms - getvariable('lead_ms')) AS offset_ms
FROM (SELECT platform_id, session_id, sum(end_ms - begin_ms) FILTER (kind <> 'not') AS playing_ms,
             min(begin_ms) FILTER (kind <> 'not') AS first_ms, max(end_ms) FILTER (kind <> 'not') AS last_ms,
             sum(gained_s) AS gained_s, bool_or(declares) AS declares, min(offset_ms) AS offset_ms
      FROM runs GROUP BY ALL)
JOIN read_json(getvariable('sessions'), columns = {platform_id: 'VARCHAR', session_id: 'VARCHAR',
     enrolment_id: 'VARCHAR', lesson_no: 'INTEGER', opened_at_ms: 'BIGINT', opened_received_ms: 'BIGINT'}) AS openings
     USING (platform_id, session_id)
JOIN enrolments USING (enrolment_id);

CREATE TEMP TABLE findings (rule VARCHAR, subject_id VARCHAR);

-- OG101: only sessions that gained enough in all are looked at again, event by event.
INSERT INTO findings
WITH chain AS (
  SELECT subject_id, seq, sum(greatest(0, end_s - start_s) - allowed_s(delta_ms))
                          OVER (PARTITION BY subject_id ORDER BY seq ROWS UNBOUNDED PRECEDING) AS gain_s
  FROM intervals SEMI JOIN (FROM sittings WHERE gained_s > getvariable('slack_s')) AS gaining
       USING (platform_id, session_id), LATERAL (SELECT platform_id || '/' || session_id AS subject_id)
  WHERE plays AND delta_ms >= 0 AND NOT (type = 'seek' AND from_s IS NULL))
SELECT DISTINCT 'OG101', subject_id
FROM (SELECT *, gain_s - least(0, min(gain_s) OVER (PARTITION BY subject_id ORDER BY seq ROWS UNBOUNDED PRECEDING))
                AS excess_s FROM chain)
WHERE excess_s > getvariable('slack_s') + 1e-6;

INSERT INTO findings SELECT 'OG103', subject_id FROM sittings WHERE declares;

-- OG201: overlaps of playing spans, only of sessions of one learner that lie over each other at all.
INSERT INTO findings
WITH touching AS (
  SELECT a.subject_id AS subject_id, a.platform_id AS p, a.session_id AS s, a.offset_ms AS o,
         b.platform_id AS other_p, b.session_id AS other_s, b.offset_ms AS other_o, a.playing_ms AS playing_ms
  FROM sittings a JOIN sittings b ON a.learner_id = b.learner_id AND a.subject_id <> b.subject_id
       AND a.first_ms + a.offset_ms < b.last_ms + b.offset_ms AND b.first_ms + b.offset_ms < a.last_ms + a.offset_ms),
pieces AS (
  SELECT subject_id, playing_ms, greatest(m.begin_ms + o, t.begin_ms + other_o) AS begin_ms,
         least(m.end_ms + o, t.end_ms + other_o) AS end_ms
  FROM touching JOIN runs m ON m.platform_id = p AND m.session_id = s AND m.kind <> 'not'
       JOIN runs t ON t.platform_id = other_p AND t.session_id = other_s AND t.kind <> 'not'
       AND m.begin_ms + o < t.end_ms + other_o AND t.begin_ms + other_o < m.end_ms + o),
fresh AS (
  SELECT subject_id, playing_ms, greatest(0, end_ms - greatest(begin_ms, coalesce(max(end_ms) OVER (
         PARTITION BY subject_id ORDER BY begin_ms, end_ms ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)))
         AS fresh_ms FROM pieces)
SELECT 'OG201', subject_id FROM fresh GROUP BY subject_id, playing_ms
HAVING sum(fresh_ms) > getvariable('overlap_ms') OR 2 * sum(fresh_ms) >= playing_ms;

-- Pop-ups and visibility, with the session's playing clock at each: a running sum less its value at the beginning.
CREATE TEMP TABLE said AS
SELECT platform_id, session_id, seq, type, popup, played_ms - begun_ms AS clock_ms
FROM (SELECT *, max(CASE WHEN same THEN 0 ELSE played_ms END) OVER (ROWS UNBOUNDED PRECEDING) AS begun_ms
      FROM (SELECT *, sum(CASE WHEN same AND was_playing AND was_type <> 'player_closed' AND at_ms > begin_ms
                                    AND at_ms - begin_ms <= getvariable('silence_ms') THEN at_ms - begin_ms ELSE 0 END)
                      OVER (ROWS UNBOUNDED PRECEDING) AS played_ms
            FROM (SELECT platform_id, session_id, seq, type, popup, at_ms, lag(at_ms) OVER () AS begin_ms,
                         lag(playing) OVER () AS was_playing, lag(type) OVER () AS was_type,
                         platform_id = lag(platform_id) OVER () AND session_id = lag(session_id) OVER () AS same
                  FROM read_parquet(getvariable('events')))))
WHERE type IN ('popup_shown', 'popup_answered', 'popup_expired', 'hidden', 'visible', 'player_opened', 'player_closed');

-- OG203
INSERT INTO findings
WITH turns AS (
  SELECT *, coalesce(lag(type) OVER own = 'hidden', false) AS goes_on FROM said
  WHERE type IN ('hidden', 'visible', 'player_opened', 'player_closed')
  WINDOW own AS (PARTITION BY platform_id, session_id ORDER BY seq)),
stretches AS (
  SELECT platform_id, session_id, type, lead(clock_ms) OVER own - clock_ms AS hidden_ms, clock_ms FROM turns
  WHERE NOT (type = 'hidden' AND goes_on) WINDOW own AS (PARTITION BY platform_id, session_id ORDER BY seq))
SELECT 'OG203', subject_id FROM stretches JOIN sittings USING (platform_id, session_id) WHERE type = 'hidden'
GROUP BY subject_id, playing_ms
HAVING max(coalesce(hidden_ms, playing_ms - clock_ms)) > getvariable('hidden_ms')
    OR sum(coalesce(hidden_ms, playing_ms - clock_ms))
       > greatest(getvariable('hidden_total_ms'), getvariable('hidden_share') * playing_ms) + 1e-3;

-- OG301
INSERT INTO findings
WITH followed AS (
  SELECT *, lead(type) OVER own AS next_type, lead(clock_ms) OVER own AS next_ms FROM said WHERE type LIKE 'popup%'
  WINDOW own AS (PARTITION BY platform_id, session_id, popup ORDER BY seq)),
shown AS (
  SELECT *, coalesce(next_type = 'popup_answered', false) AS answered, lead(seq) OVER own IS NULL AS is_last,
         coalesce(bool_or(next_type = 'popup_answered') OVER (own ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false)
         AS answered_before
  FROM followed WHERE type = 'popup_shown' WINDOW own AS (PARTITION BY platform_id, session_id ORDER BY seq)),
gaps AS (
  SELECT platform_id, session_id, clock_ms,
         clock_ms - lag(clock_ms, 1, 0) OVER (PARTITION BY platform_id, session_id ORDER BY clock_ms) AS gap_ms
  FROM shown JOIN sittings USING (platform_id, session_id)
  WHERE CASE WHEN answered THEN next_ms - clock_ms <= getvariable('answer_ms')
             ELSE is_last AND answered_before AND playing_ms - clock_ms <= getvariable('answer_ms') END)
SELECT 'OG301', subject_id
FROM sittings LEFT JOIN (SELECT platform_id, session_id, max(gap_ms) AS widest_ms, max(clock_ms) AS last_ms
                         FROM gaps GROUP BY ALL) AS widest USING (platform_id, session_id)
WHERE playing_ms > 0
  AND greatest(coalesce(widest_ms, 0), playing_ms - coalesce(widest.last_ms, 0)) >= getvariable('gap_ms');

-- OG702: coverage by the sessions that no finding above rejects, capped by their playing clocks.
INSERT INTO findings
WITH lessons AS (
  SELECT enrolment_id, lesson.lesson_no AS lesson_no, lesson.duration_s AS duration_s
  FROM (SELECT class_id, unnest(lessons) AS lesson FROM read_json(getvariable('classes'), columns = {
        class_id: 'VARCHAR', lessons: 'STRUCT(lesson_no INTEGER, duration_s DOUBLE)[]'}))
  JOIN enrolments USING (class_id)),
counted AS (FROM sittings ANTI JOIN findings USING (subject_id)),
segments AS (
  SELECT enrolment_id, lesson_no, least(start_s, duration_s) AS start_s, least(end_s, duration_s) AS end_s
  FROM runs JOIN counted USING (platform_id, session_id) JOIN lessons USING (enrolment_id, lesson_no)
  WHERE kind = 'watched'),
fresh AS (
  SELECT enrolment_id, lesson_no, greatest(0, end_s - greatest(start_s, coalesce(max(end_s) OVER (
         PARTITION BY enrolment_id, lesson_no ORDER BY start_s, end_s
         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))) AS fresh_s FROM segments),
credited AS (
  SELECT enrolment_id, lesson_no, least(length_s, allowed_s(playing_ms) + getvariable('slack_s')) AS credited_s
  FROM (SELECT enrolment_id, lesson_no, sum(fresh_s) AS length_s FROM fresh GROUP BY ALL)
  JOIN (SELECT enrolment_id, lesson_no, sum(playing_ms) AS playing_ms FROM counted GROUP BY ALL)
       USING (enrolment_id, lesson_no))
SELECT 'OG702', enrolment_id || '/' || lesson_no
FROM (SELECT DISTINCT enrolment_id, lesson_no FROM sittings) JOIN lessons USING (enrolment_id, lesson_no)
     LEFT JOIN credited USING (enrolment_id, lesson_no)
WHERE coalesce(credited_s, 0) / duration_s < getvariable('coverage') - 1e-9;
