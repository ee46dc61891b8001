-- What PostgresLimiter keeps in a database: two tables, and the functions of one atomic step on a
-- bucket. They do what redis.lua does in a Redis, rule by rule.
--
-- What `_bucket.py` proves of one process holds for all of them, because what it counts is
-- counted here: permits held, and the moments at which attempts ended. An attempt that has
-- started and whose process died has ended for certain when its permit expires, and counts from
-- then on as one that was released at that moment.
--
-- The tables are unlogged: no step waits for a disk, and a server that crashed has emptied them.
-- Times are whole microseconds of this server's clock.

-- A client, which carries all of this out as one transaction, does not wait for longer.
SELECT pg_catalog.set_config('lock_timeout', '900ms', true);

-- Of processes that start together, one creates it.
SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ziett', 0));

-- IF NOT EXISTS would ask for the right to create schemas where this one is there.
DO $$ BEGIN
    IF pg_catalog.to_regnamespace('ziett') IS NULL THEN
        CREATE SCHEMA ziett;
    END IF;
END $$;

CREATE UNLOGGED TABLE IF NOT EXISTS ziett.buckets (
    bucket text PRIMARY KEY,
    -- When the server started: one that was restarted, or another one, may have forgotten.
    run timestamptz NOT NULL,
    -- The last time seen; before which moment nothing starts; by how much the clock is known to
    -- have been set; the longest period of a rate; the last ticket.
    seen bigint NOT NULL,
    open bigint NOT NULL,
    jumped bigint NOT NULL,
    longest bigint NOT NULL,
    ticket bigint NOT NULL,
    -- How many permits are held or returning. If there are not as many, some were lost.
    permits bigint NOT NULL
) WITH (fillfactor = 50);

CREATE UNLOGGED TABLE IF NOT EXISTS ziett.permits (
    bucket text NOT NULL,
    -- Its id, until it is returning.
    permit text,
    is_bulk boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('held', 'returning', 'waiting')),
    -- Held: when it expires. Returning: when its attempt ended. Waiting: when its process is taken
    -- for dead.
    at bigint NOT NULL,
    -- The order of those that wait, within a priority.
    ticket bigint,
    UNIQUE (bucket, permit)
) WITH (fillfactor = 50);

-- Return when the attempt with so many ahead of it can start: `Tokens.earliest`. Bulk attempts
-- are also under rates of their own, those of the bucket less the reserve, under which only bulk
-- attempts count. Settings are those of `step`.
CREATE OR REPLACE FUNCTION ziett.earliest_VERSION(
    name text, settings bigint[], for_bulk boolean, ahead bigint, bulk_ahead bigint, now bigint,
    open bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    latest bigint := open;
    start bigint;
    rate_limit bigint;
    per bigint;
    idle bigint;
    on_its_way bigint;
    place bigint;
    in_flight bigint;
    ended bigint;
BEGIN
    FOR only_bulk IN 0 .. for_bulk::int LOOP
        SELECT count(*) FILTER (WHERE p.state = 'held'),
               count(*) FILTER (WHERE p.state = 'returning')
            INTO in_flight, ended
            FROM ziett.permits p WHERE p.bucket = name AND (only_bulk = 0 OR p.is_bulk);
        IF only_bulk = 1 THEN
            ahead := bulk_ahead;
        END IF;
        FOR i IN 5 .. cardinality(settings) BY 3 LOOP
            rate_limit := settings[i + 2 * only_bulk];
            per := settings[i + 1];
            idle := greatest(rate_limit - in_flight, 0);
            on_its_way := least(idle, ended);
            place := ahead % rate_limit - (idle - on_its_way);
            start := now;
            IF place >= on_its_way THEN
                start := now + per;
            ELSIF place >= 0 THEN
                SELECT greatest(now, p.at + per) INTO start FROM ziett.permits p
                    WHERE p.bucket = name AND p.state = 'returning'
                        AND (only_bulk = 0 OR p.is_bulk)
                    ORDER BY p.at DESC OFFSET on_its_way - place - 1 LIMIT 1;
            END IF;
            latest := greatest(latest, greatest(start, open) + ahead / rate_limit * per);
        END LOOP;
    END LOOP;
    RETURN latest;
END
$$;

-- Settings are: how long a permit lasts, how long a quarantine does, how long one at which nothing
-- is known of other processes does, after how long a waiter that does not come back is dead; and
-- of each rate its limit, its period, its limit for bulk. Words are what the command needs.
-- Return whether it is granted, now, when to come back, by how much the clock is known to have
-- been set, and that a restart would be noticed.
CREATE OR REPLACE FUNCTION ziett.step_VERSION(
    command text, name text, id text, settings bigint[], words text[]
) RETURNS bigint[] LANGUAGE plpgsql
-- What others may have created under the same names is not called.
SET search_path = pg_catalog, pg_temp
-- A client does not wait for longer.
SET lock_timeout = '900ms'
-- A plain scan of the index forgets dead rows as it meets them; the others would read them again in
-- each step, until the next vacuum.
SET enable_bitmapscan = off
SET enable_seqscan = off
AS $$
DECLARE
    backward CONSTANT bigint := 100000;
    lease CONSTANT bigint := settings[1];
    quarantine CONSTANT bigint := settings[2];
    unknown CONSTANT bigint := settings[3];
    grace CONSTANT bigint := settings[4];
    bulk CONSTANT boolean := words[1] = 'bulk';
    this ziett.buckets;
    mine ziett.permits;
    counted bigint;
    expiring bigint;
    oldest bigint;
    forget bigint;
    now bigint;
    urgent bigint;
    ahead bigint;
    dead bigint;
    moment bigint;
    was_held boolean;
    is_granted boolean := false;
    gone bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ziett ' || name, 0));
    now := extract(epoch FROM clock_timestamp()) * 1000000;
    SELECT * INTO this FROM ziett.buckets b WHERE b.bucket = name;
    SELECT count(*), min(p.at) FILTER (WHERE p.state = 'held'), min(p.at)
        INTO counted, expiring, oldest
        FROM ziett.permits p WHERE p.bucket = name AND p.state <> 'waiting';

    IF this.run IS NULL THEN
        forget := unknown;
    ELSIF command = 'acquire' AND this.run <> pg_postmaster_start_time() THEN
        forget := quarantine;
    ELSIF now < this.seen - backward THEN
        this.jumped := this.jumped + now - this.seen;
        forget := quarantine;
    ELSIF counted <> this.permits THEN
        forget := quarantine;
    END IF;
    this.jumped := coalesce(this.jumped, 0);
    IF command = 'distrust' AND this.jumped = words[1]::bigint THEN
        this.jumped := this.jumped + words[2]::bigint;
        forget := quarantine;
    END IF;
    IF forget IS NOT NULL THEN
        DELETE FROM ziett.permits p WHERE p.bucket = name;
        this := (name, pg_postmaster_start_time(), now, now + forget, this.jumped, 0, 0, 0);
    END IF;
    now := greatest(now, this.seen);
    FOR i IN 6 .. cardinality(settings) BY 3 LOOP
        this.longest := greatest(this.longest, settings[i]);
    END LOOP;

    IF expiring <= now THEN
        UPDATE ziett.permits p SET state = 'returning', permit = NULL
            WHERE p.bucket = name AND p.state = 'held' AND p.at <= now;
    END IF;
    IF oldest <= now - this.longest THEN
        -- They are out of every window.
        DELETE FROM ziett.permits p
            WHERE p.bucket = name AND p.state = 'returning' AND p.at <= now - this.longest;
        GET DIAGNOSTICS gone = ROW_COUNT;
        this.permits := this.permits - gone;
    END IF;
    SELECT * INTO mine FROM ziett.permits p WHERE p.bucket = name AND p.permit = id;
    was_held := mine.state IS NOT DISTINCT FROM 'held';
    moment := this.open;

    IF command = 'release' THEN
        UPDATE ziett.permits p SET state = 'returning', permit = NULL, at = now
            WHERE p.bucket = name AND p.permit = id AND p.state = 'held';
    ELSIF command = 'withdraw' THEN
        DELETE FROM ziett.permits p WHERE p.bucket = name AND p.permit = id;
        this.permits := this.permits - was_held::int;
    ELSIF command = 'pause' THEN
        this.open := greatest(this.open, now + words[1]::bigint);
        moment := this.open;
    ELSIF command = 'acquire' THEN
        DELETE FROM ziett.permits p
            WHERE p.bucket = name AND p.state = 'waiting' AND p.at <= now AND p.permit <> id;
        IF mine.ticket IS NULL THEN
            this.ticket := this.ticket + 1;
            mine.ticket := this.ticket;
        END IF;
        SELECT count(*), count(*) FILTER (WHERE NOT p.is_bulk), min(p.at)
            INTO ahead, urgent, dead
            FROM ziett.permits p
            WHERE p.bucket = name AND p.state = 'waiting'
                AND (p.is_bulk, p.ticket) < (bulk, mine.ticket);
        moment := ziett.earliest_VERSION(
            name, settings, bulk, ahead, ahead - urgent, now, this.open
        );
        -- If it is held, the answer to an earlier step was lost.
        is_granted := was_held OR moment <= now;
        IF is_granted THEN
            moment := now;
            this.permits := this.permits + 1 - was_held::int;
            mine.at := now + lease;
        ELSE
            -- When one of those ahead must be dead the others move up.
            moment := least(moment, dead);
            mine.at := moment + grace;
        END IF;
        INSERT INTO ziett.permits VALUES (
            name, id, bulk, CASE WHEN is_granted THEN 'held' ELSE 'waiting' END, mine.at, mine.ticket
        ) ON CONFLICT (bucket, permit) DO UPDATE SET state = EXCLUDED.state, at = EXCLUDED.at;
    END IF;

    UPDATE ziett.buckets b
        SET (run, seen, open, jumped, longest, ticket, permits) =
            (this.run, now, this.open, this.jumped, this.longest, this.ticket, this.permits)
        WHERE b.bucket = name;
    IF NOT FOUND THEN
        INSERT INTO ziett.buckets SELECT this.*;
    END IF;
    RETURN ARRAY[is_granted::int, now, moment, this.jumped, 1];
END
$$;
