-- wrk script: requests the paths of a file (the first argument) in turn. The second argument is the
-- average pause between two requests in milliseconds.
local requests, index, pause = {}, 0, 0

function init(arguments)
  for path in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
  pause = tonumber(arguments[2] or "0")
  math.randomseed(os.time())
  index = math.random(#requests)
end

function request()
  index = index % #requests + 1
  return requests[index]
end

function delay()
  -- wrk accepts only whole milliseconds: round up or down at random, so that the average holds.
  return math.floor(2 * pause * math.random() + math.random())
end
