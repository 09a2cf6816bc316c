---@meta rt.refs
-- Made by tools/meta.lua: do not edit.

-- The reference registry: pictures of characters, styles, places and props, known by
-- their content. What cannot be a reference is refused here, before it costs anything;
-- new bytes under an old name are a new version; each picture travels in the cheapest
-- form that the target takes.
local M = {}

---@class rt.refs.Image
---@field path? string     of a file
---@field url? string      https; never fetched by us
---@field hash string      SHA-256 of the bytes; of its text for a URL
---@field type? string     media type by content; of a file
---@field bytes? integer   of a file
---@field mtime? integer   of a file: nanoseconds since 1970
---@field width? integer   pixels as displayed; of a picture in a file
---@field height? integer

---@class rt.refs.Ref
---@field kind "character"|"style"|"location"|"prop"|"asset"
---@field name string
---@field tag? string        3 to 16 letters, digits, "_"; assets have one only if given
---@field strength? number   0 to 1
---@field notes? string
---@field version integer    from 1; grows when the bytes under this name change
---@field hash string        of the one image; of the list of hashes if there are more
---@field images rt.refs.Image[]
---@field warnings? string[] sentences about what may not work

---@class rt.refs.Spec
---@field kind string        an "asset" is any picture, video or sound without a tag
---@field name string
---@field image? string      a path or an https URL
---@field images? string[]   several views
---@field strength? number   0 to 1
---@field tag? string        made from the name if it is not given
---@field notes? string
---@field base? string       the folder that relative paths start in
---@field ratio? number[]    {min, max} of width / height, default {0.5, 2.358}

local KINDS = {}

local TYPES = {}

---@class rt.refs.Registry
---@field private c userdata
local Registry = {}

---@class rt.refs.Known
---@field kind string
---@field name string
---@field version integer
---@field hash string

--- A new registry. `known` are versions of earlier runs, so that numbers go on.
---@param known? rt.refs.Known[]
---@return rt.refs.Registry
function M.open(known) end

--- Register a reference: look at its files, hash them, give it its version. Waits for the
--- disk; fetches nothing and spends nothing. Registering a name again gives the same
--- version for the same bytes, and the next one for bytes not seen before.
---@async
---@param spec rt.refs.Spec
---@return rt.refs.Ref?
---@return rt.Err? err  not_found, denied, invalid, unsupported (GIF, HEIC …), too_large
function Registry:register(spec) end

--- Two references of one request may not have the same tag, in whatever case.
---@param refs {name: string, tag: string?}[]
---@return true?
---@return rt.Err? err
function M.check_tags(refs) end

---@class rt.refs.Form
---@field form "url"|"data"|"upload"|"needs_upload"
---@field uri? string    of url and upload
---@field type? string   of data: the media type
---@field path? string   of data: the file whose bytes go into the request

---@class rt.refs.Target
---@field data_max? integer  characters that a data URI may have, default 5,242,880
---@field upload? string     the account, if it takes uploads

--- In which form an image goes into a request: its https URL as it is, a data URI if that
--- is short enough, an upload that still lives, or a new one. Waits for the disk: a file
--- that has changed since it was registered is refused.
---@async
---@param image rt.refs.Image
---@param opts? rt.refs.Target
---@return rt.refs.Form?
---@return rt.Err? err
function Registry:resolve(image, opts) end

--- Remember an upload, so that the same bytes are not sent to the account again while it
--- lives. A tenth of the time (an hour at most) is kept back.
---@param image rt.refs.Image
---@param account string
---@param uri string
---@param seconds? number  how long it is valid from now on, default 24 hours
function Registry:uploaded(image, account, uri, seconds) end

--- What a file is, hashed and sized as a reference would be, without registering it.
---@async
---@param path string
---@return rt.refs.Image?
---@return rt.Err? err
function M.inspect(path) end

return M
