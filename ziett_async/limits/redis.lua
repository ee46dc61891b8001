-- One bucket that any number of processes share: one atomic step.
--
-- What `_bucket.py` proves of one process holds for all of them, because what it counts is
-- counted here: permits held, and the moments at which attempts ended. An attempt that has
-- started and whose process died has ended for certain when its permit expires, and counts
-- from then on as one that was released at that moment. As every step does so first, the
-- ends stay sorted.
--
-- KEYS  state     hash: the server's run id, the last time seen, how many permits are held, how
--                 many ends there are, how many ids wait, before which moment nothing starts,
--                 by how much the clock is known to have been set, the largest limit, how many
--                 of the permits are bulk
--       held      sorted set: permit id, after `bulk:` if it is bulk -> when it expires
--       ends      list: when attempts ended, earliest first
--       waiting   sorted set: permit id -> ticket; bulk tickets come after all urgent ones
--       due       sorted set: waiting permit id -> when it is taken for dead
--       bulk_ends list: when bulk attempts ended; if it is lost, only the reserve may be used once
-- ARGV  command, permit id, settings in one word, as most steps need none of them; then what the
--       command needs. Settings are: how long a permit lasts, how long a quarantine does, how
--       long one at which nothing is known of other processes does, after how long a waiter that
--       does not come back is dead; and of each rate its limit, its period, its limit for bulk.
-- Times are whole microseconds of this server's clock.
-- Returns whether it is granted, now, when to come back, by how much the clock is known to have
-- been set, whether the server's run id is known.

local state, held, ends, waiting, due, bulk_ends = unpack(KEYS)
local command, id = ARGV[1], ARGV[2]
local FIRST_BULK, LAST_URGENT = 4503599627370496, '(4503599627370496'
local BACKWARD = 100000

local call = redis.call
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored = call('HMGET', state, 'run', 'seen', 'held', 'ends', 'waiting', 'open',
    'jumped', 'largest', 'bulk')
local run, seen = stored[1], tonumber(stored[2]) or 0
local in_flight, ended = tonumber(stored[3]) or 0, tonumber(stored[4]) or 0
local waiters, open = tonumber(stored[5]) or 0, tonumber(stored[6]) or 0
local jumped = tonumber(stored[7]) or 0
local largest, bulk_in_flight = tonumber(stored[8]) or 0, tonumber(stored[9]) or 0

local function setting(place)
    return tonumber(ARGV[3]:match(('%d+ '):rep(place - 1) .. '(%d+)'))
end

local function run_id()
    local info = redis.pcall('INFO', 'server')
    local _, before = (type(info) == 'string' and info or ''):find('run_id:', 1, true)
    return before and info:sub(before + 1, before + 40) or ''
end

local function forget(seconds)
    call('DEL', unpack(KEYS))
    run = run_id()
    seen, in_flight, bulk_in_flight, ended, waiters = now, 0, 0, 0, 0
    open = now + seconds
    call('HSET', state, 'run', run, 'seen', seen, 'held', 0, 'ends', 0, 'waiting', 0,
        'open', open, 'jumped', jumped, 'largest', largest, 'bulk', 0)
end

if not run then
    forget(setting(3))
elseif command == 'acquire' and run ~= run_id() then
    forget(setting(2))
elseif now < seen - BACKWARD then
    jumped = jumped + now - seen
    forget(setting(2))
elseif in_flight ~= call('ZCARD', held) or ended ~= call('LLEN', ends) then
    forget(setting(2))
end
now = math.max(now, seen)

local function end_attempt(moment, is_bulk)
    in_flight = in_flight - 1
    call('RPUSH', ends, moment)
    if ended < largest then
        ended = ended + 1
    else
        call('LPOP', ends)
    end
    if is_bulk then
        bulk_in_flight = bulk_in_flight - 1
        if call('RPUSH', bulk_ends, moment) > largest then
            call('LPOP', bulk_ends)
        end
    end
end

-- Remove a permit; return whether it was held, and whether it is bulk.
local function drop()
    if call('ZREM', held, id) == 1 then
        return true, false
    end
    return call('ZREM', held, 'bulk:' .. id) == 1, true
end

local function answer(granted, moment, ...)
    call('HSET', state, 'seen', now, 'held', in_flight, 'ends', ended, 'bulk', bulk_in_flight, ...)
    return { granted, now, moment, jumped, run == '' and 0 or 1 }
end

if in_flight > 0 then
    local expired = call('ZRANGEBYSCORE', held, '-inf', now, 'WITHSCORES')
    for i = 1, #expired, 2 do
        call('ZREM', held, expired[i])
        end_attempt(expired[i + 1], expired[i]:find('bulk:', 1, true) == 1)
    end
end

local function leave()
    call('ZREM', waiting, id)
    call('ZREM', due, id)
    return call('ZCARD', waiting)
end

if command == 'release' then
    local was_held, was_bulk = drop()
    if was_held then
        end_attempt(now, was_bulk)
    end
    return answer(0, open)
elseif command == 'withdraw' then
    local was_held, was_bulk = drop()
    if was_held then
        in_flight = in_flight - 1
        bulk_in_flight = bulk_in_flight - (was_bulk and 1 or 0)
    end
    return answer(0, open, 'waiting', leave())
elseif command == 'pause' then
    open = math.max(open, now + tonumber(ARGV[4]))
    return answer(0, open, 'open', open)
elseif command == 'distrust' then
    if jumped == tonumber(ARGV[4]) then
        jumped = jumped + tonumber(ARGV[5])
        forget(setting(2))
    end
    return answer(0, open)
end

-- acquire
local is_bulk, asked_before = ARGV[4] == 'bulk', ARGV[5] == '1'
local settings = {}
for word in ARGV[3]:gmatch('%d+') do
    settings[#settings + 1] = tonumber(word)
end
local lease, grace, FIRST_RATE = settings[1], settings[4], 5
for i = FIRST_RATE, #settings, 3 do
    if settings[i] > largest then
        largest = settings[i]
        call('HSET', state, 'largest', largest)
    end
end

-- Return when the attempt with so many ahead of it can start: `Pool.start`, of one rate.
local function start(limit, per, ahead, held_now, returned, list)
    local place = ahead % limit
    local rounds = (ahead - place) / limit
    local idle = math.max(limit - held_now, 0)
    local returning = math.min(idle, returned)
    place = place - (idle - returning)
    local moment = now
    if place >= returning then
        moment = now + per
    elseif place >= 0 then
        moment = math.max(now, call('LINDEX', list, place - returning) + per)
    end
    return math.max(moment, open) + rounds * per
end

local function turn(ahead, bulk_ahead)
    local moment = open
    local bulk_ended = is_bulk and call('LLEN', bulk_ends)
    for i = FIRST_RATE, #settings, 3 do
        local per = settings[i + 1]
        moment = math.max(moment, start(settings[i], per, ahead, in_flight, ended, ends))
        if is_bulk then
            moment = math.max(moment, start(
                settings[i + 2], per, bulk_ahead, bulk_in_flight, bulk_ended, bulk_ends))
        end
    end
    return moment
end

local permit = is_bulk and 'bulk:' .. id or id

local function grant(...)
    local added = call('ZADD', held, now + lease, permit)
    in_flight = in_flight + added
    bulk_in_flight = bulk_in_flight + (is_bulk and added or 0)
    return answer(1, now, ...)
end

if waiters == 0 and not asked_before and turn(0, 0) <= now then
    return grant()
end
if call('ZSCORE', held, permit) then
    return grant() -- the answer to an earlier step was lost
end

for _, dead in ipairs(call('ZRANGEBYSCORE', due, '-inf', now)) do
    if dead ~= id then
        call('ZREM', waiting, dead)
        call('ZREM', due, dead)
    end
end
local has_ticket = call('ZSCORE', waiting, id)
local urgent = call('ZCOUNT', waiting, '-inf', LAST_URGENT)
local ahead
if has_ticket then
    ahead = call('ZRANK', waiting, id)
else
    ahead = is_bulk and call('ZCARD', waiting) or urgent
end
local moment = turn(ahead, ahead - urgent)
if moment <= now then
    return grant('waiting', leave())
end
if not has_ticket then
    local ticket = call('HINCRBY', state, 'ticket', 1)
    call('ZADD', waiting, is_bulk and FIRST_BULK + ticket or ticket, id)
end
if ahead > 0 then
    -- When one of them must be dead the others move up.
    local others = call('ZRANGE', waiting, 0, ahead - 1)
    for _, each in ipairs(call('ZMSCORE', due, unpack(others))) do
        moment = math.min(moment, tonumber(each) or now + grace)
    end
end
call('ZADD', due, moment + grace, id)
return answer(0, moment, 'waiting', call('ZCARD', waiting))
