-- wrk asks for the addresses of a file in turn; a second word is how many milliseconds to pause on average between two.
local requests, place, pause = {}, 0, 0

function init(words)
  for path in io.lines(words[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
  pause = tonumber(words[2] or "0")
  math.randomseed(os.time())
  place = math.random(#requests)
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function delay()
  return math.floor(2 * pause * math.random() + math.random()) -- wrk takes whole ones; parts of one by chance
end
