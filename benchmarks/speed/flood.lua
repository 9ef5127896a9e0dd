-- wrk asks for what nobody has ever asked for: made-up paths, and made-up words behind the addresses of a file.
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

function init(words)
  for path in io.lines(words[1]) do
    paths[#paths + 1] = path
  end
  math.randomseed(os.time())
end

function request()
  local word = string.format("%x%x", math.random(10 ^ 9), math.random(10 ^ 9))
  return wrk.format("GET", shapes[math.random(#shapes)](word, paths[math.random(#paths)]))
end
