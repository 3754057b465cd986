-- load.lua - for wrk: counts replies by status, and spreads the requests.
--
--   wrk ... -s load.lua URL -- PAUSE LIMIT
--
-- PAUSE: the mean of the time that a connection waits before each request, in
-- ms, exponentially distributed; 0: none. So n connections offer n / (PAUSE +
-- latency) requests a ms, much the same however slow the server becomes.
-- LIMIT: ms; of all replies, so large a part took no longer.
-- The last line printed is JSON.
local threads = {}
local pause = 0

function setup(thread)
    thread:set("seed", #threads + 1)
    table.insert(threads, thread)
end

function init(args)
    pause = tonumber(args[1])
    limit = tonumber(args[2])
    math.randomseed(seed)
    good, shed, late, other = 0, 0, 0, 0
    if pause > 0 then
        delay = function()
            return math.floor(-math.log(1 - math.random()) * pause)
        end
    end
end

function response(status)
    if status == 200 then
        good = good + 1
    elseif status == 503 then
        shed = shed + 1
    elseif status == 504 then
        late = late + 1
    else
        other = other + 1
    end
end

local function in_time(latency, most)
    local sum, all = 0, 0
    for i = 1, #latency do
        local took, count = latency(i) -- in us
        all = all + count
        if took <= most * 1000 then
            sum = sum + count
        end
    end
    return all > 0 and sum / all or 0
end

function done(summary, latency)
    local sum = { good = 0, shed = 0, late = 0, other = 0 }
    local e = summary.errors
    local most = threads[1]:get("limit")
    for _, thread in ipairs(threads) do
        for name in pairs(sum) do
            sum[name] = sum[name] + thread:get(name)
        end
    end
    io.write(string.format(
        '{"seconds": %f, "good": %d, "shed": %d, "late": %d, "other": %d, ' ..
            '"in_time": %f, "errors": %d, "p50": %f, "p99": %f, "p999": %f}\n',
        summary.duration / 1e6, sum.good, sum.shed, sum.late, sum.other,
        in_time(latency, most), e.connect + e.read + e.write + e.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        latency:percentile(99.9) / 1e3))
end
