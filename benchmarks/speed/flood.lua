-- wrk script: requests URLs that no cache has, namely random paths, random cursors and searches, and
-- random query strings on the paths of a file (the script's first argument).
local paths = {}
local shapes = {
  function(word, _) return "/" .. word end,
  function(word, _) return "/politics/" .. word end,
  function(word, _) return "/topic/" .. word .. "/" end,
  function(word, path) return path .. "?" .. word .. "=" .. word end,
  function(word, path) return path .. "?utm_source=" .. word end,
  function(_, _) return "/politics/?before=" .. math.random(10 ^ 15) .. "-" .. math.random(10 ^ 6) end,
  function(_, _) return "/fragments/stream/?before=" .. math.random(10 ^ 15) .. "-" .. math.random(10 ^ 6) end,
  function(word, _) return "/search?q=" .. word end,
}

function init(arguments)
  for path in io.lines(arguments[1]) do
    paths[#paths + 1] = path
  end
  math.randomseed(os.time())
end

function request()
  local word = string.format("%x%x", math.random(10 ^ 9), math.random(10 ^ 9))
  return wrk.format("GET", shapes[math.random(#shapes)](word, paths[math.random(#paths)]))
end
