-- Makes manual pages of the reference pages in docs/: a filter for pandoc, see CMakeLists.txt.
--
-- A frame (l4ward.8.md) has the manual's sections; a paragraph of it takes parts of a page in:
--   @include docs/l4wardctl.md intro      what stands before its first section
--   @include docs/l4wardctl.md options    one section, without its heading
--   @include docs/l4wardctl.md rest       all sections that the frame does not name, as they are
--   @include docs/site-yaml.md sections   the same, as sections of the manual
--
-- Tables become lists of terms, because columns of a terminal are few. Blocks of code that are
-- wider than kWidth are left out, with the line that announces them.

local kWidth = 73 -- of 80, with a manual's indentation

local stringify = pandoc.utils.stringify

local function wordsOf(paragraph)
  local words = {}
  for word in stringify(paragraph):gmatch('%S+') do words[#words + 1] = word end
  return words
end

-- The blocks of a page: `intro`, and a list of sections with `name` and `blocks`.
local pages = {}
local function readPage(path)
  if pages[path] then return pages[path] end
  local file = assert(io.open(path), path .. ' cannot be read')
  local blocks = pandoc.read(file:read('a'), 'gfm').blocks
  file:close()
  local page = { intro = pandoc.List(), sections = pandoc.List(), used = {} }
  local into = page.intro
  for _, block in ipairs(blocks) do
    if block.t == 'Header' and block.level == 2 then
      into = pandoc.List({ block })
      page.sections:insert({ name = block.identifier, blocks = into })
    elseif block.t ~= 'Header' or block.level > 2 then
      into:insert(block)
    end
  end
  pages[path] = page
  return page
end

local function section(page, path, name)
  for _, one in ipairs(page.sections) do
    if one.name == name then
      return pandoc.List({ table.unpack(one.blocks, 2) })
    end
  end
  error(path .. ' has no section "' .. name .. '"')
end

local function rest(page, shift)
  local blocks = pandoc.List()
  for _, one in ipairs(page.sections) do
    if not page.used[one.name] then
      for _, block in ipairs(one.blocks) do
        if block.t == 'Header' then
          block = block:clone()
          block.level = block.level + shift
        end
        blocks:insert(block)
      end
    end
  end
  return blocks
end

local function included(path, part)
  local page = readPage(path)
  if part == 'intro' then return page.intro end
  if part == 'rest' then return rest(page, 0) end
  if part == 'sections' then return rest(page, -1) end
  return section(page, path, part)
end

local function isInclude(block)
  return block.t == 'Para' and stringify(block):find('^@include ') ~= nil
end

-- Two passes: `rest` must know what other paragraphs name.
local function assemble(blocks)
  for _, block in ipairs(blocks) do
    if isInclude(block) then
      local words = wordsOf(block)
      readPage(words[2]).used[words[3]] = true
    end
  end
  local all = pandoc.List()
  for _, block in ipairs(blocks) do
    if isInclude(block) then
      local words = wordsOf(block)
      all:extend(included(words[2], words[3]))
    else
      all:insert(block)
    end
  end
  return all
end

-- A paragraph of code is as wide as the text around it.
local function rawCode(block)
  local text = block.text:gsub('\\', '\\e'):gsub('-', '\\-'):gsub("'", '\\[aq]')
  text = text:gsub('%f[^\n\0]([.])', '\\&%1')
  return pandoc.RawBlock('man', '.PP\n.nf\n' .. text .. '\n.fi')
end

local function isTooWide(block)
  if block.t ~= 'CodeBlock' then return false end
  for line in block.text:gmatch('[^\n]+') do
    if utf8.len(line) > kWidth then return true end
  end
  return false
end

local function announcesCode(block)
  return block.t == 'Para' and stringify(block):sub(-1) == ':'
end

local function withoutWideCode(blocks)
  local kept = pandoc.List()
  for _, block in ipairs(blocks) do
    if not isTooWide(block) then
      kept:insert(block.t == 'CodeBlock' and rawCode(block) or block)
    elseif #kept > 0 and announcesCode(kept[#kept]) then
      kept:remove()
    end
  end
  return kept
end

-- What stands between the first and the last column of a row: "10ms to 1h; default 2s".
local function facts(row, titles)
  local out = pandoc.List()
  for i = 2, #row - 1 do
    local cell = pandoc.utils.blocks_to_inlines(row[i])
    local title = titles[i]
    if #cell > 0 then
      if #out > 0 then out:insert(pandoc.Str('; ')) end
      local required = title == 'default' and stringify(cell):find('^required') ~= nil
      if title ~= 'type' and not required then out:insert(pandoc.Str(title .. ' ')) end
      out:extend(cell)
    end
  end
  return out
end

local function termsOf(tbl)
  local simple = pandoc.utils.to_simple_table(tbl)
  local titles = simple.headers:map(function(cell) return stringify(cell) end)
  local items = pandoc.List()
  for _, row in ipairs(simple.rows) do
    local body = pandoc.List()
    local known = facts(row, titles)
    if #known > 0 then body:insert(pandoc.Plain(known)) end
    local meaning = pandoc.utils.blocks_to_inlines(row[#row])
    if #known > 0 and #meaning > 0 then
      -- pandoc's own line break would leave the indentation.
      local lineBreak = pandoc.RawInline('man', '\n.br\n')
      body = pandoc.List({ pandoc.Plain(known .. { lineBreak } .. meaning) })
    elseif #meaning > 0 then
      body:insert(pandoc.Plain(meaning))
    end
    if #body == 0 then body:insert(pandoc.Plain({ pandoc.Str('') })) end
    items:insert({ pandoc.utils.blocks_to_inlines(row[1]), { body } })
  end
  return pandoc.DefinitionList(items)
end

-- A page of docs/ has no address in a terminal; where the package puts it, it has.
local function linkText(link)
  if link.target:find('^https?://') then
    return link.content .. { pandoc.Str(' <' .. link.target .. '>') }
  end
  return link.content
end

return {
  { Pandoc = function(doc) return pandoc.Pandoc(assemble(doc.blocks), doc.meta) end },
  { Table = termsOf },
  {
    Blocks = withoutWideCode,
    Link = linkText,
    Code = function(code) return pandoc.Strong({ pandoc.Str(code.text) }) end,
    Header = function(header)
      if header.level > 1 then return nil end
      return pandoc.Header(1, pandoc.Str(stringify(header):upper()))
    end,
  },
}
