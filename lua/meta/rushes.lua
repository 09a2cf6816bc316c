---@meta rushes
-- What `require "rushes"` gives a script. "Waits": other tasks run meanwhile. "Spends":
-- may cost credits. Functions that do neither come back at once and cost nothing.

---@class rushes
---@field policy rushes.PolicyLibrary
---@field task rt.task          scopes, timeouts, semaphores, channels: docs/concurrency.md
---@field fs rt.fs
---@field proc rt.proc
---@field log rt.log
---@field json rt.json
local rushes = {}

--- Open a show.
---@param spec rushes.ShowSpec
---@return rushes.Show
function rushes.show(spec) end

--- Make a prompt template: text with {names}; `{{` and `}}` are braces.
---@param text string
---@return rushes.Template
function rushes.template(text) end

--- Run `fn`; what is shot in it, and in tasks spawned meanwhile, must fit into
--- `credits` as well as into the show's budget. Budgets nest; the same name at the same
--- place is the same budget, and another limit for it is an error. Waits as `fn` does;
--- spends nothing itself.
---@async
---@generic R
---@param name string     letters, digits, `.`, `_`, `-`
---@param credits number  from 0 on
---@param fn async fun(): R
---@return R ...          what `fn` returned
function rushes.budget(name, credits, fn) end

--- The three primitives of one provider. Raises if its key is missing. With a show its
--- calls are kept in the show's journal and budget, so that a run after a crash finds them.
---@param name "runway"|"gen4"
---@param show? rushes.Show
---@return rushes.Provider
function rushes.provider(name, show) end

--- Run functions at once; results in the same order. Waits for all of them; the first
--- failure is raised when all have ended, the others are in its `also`.
---@async
---@param fns (async fun(): any)[]
---@return any[]
function rushes.all(fns) end

--- `pairs` in the order of the keys, so that every run asks for the same things.
---@generic K, V
---@param t table<K, V>
---@return fun(): K, V
function rushes.sorted(t) end

--- Waits.
---@async
---@param seconds number
function rushes.sleep(seconds) end

---@class rushes.ShowSpec
---@field name string       letters, digits, `.`, `_`, `-`; names the folder of the clips
---@field ratio? string     of shots that have none; "1280:720"
---@field fps? integer      24
---@field budget? number    credits; a call that does not fit is not sent
---@field provider? "runway"|"gen4"
---@field output? string    folder of the clips; the show's name
---@field policy? rushes.Policy
---@field moderation_limit? integer  calls that moderation refuses of one shot, or in one
---                         budget, until the rest of it is held back; 3

---@class rushes.Show
---@field name string
---@field ratio string
---@field fps integer
---@field provider string
---@field output string
---@field policy? rushes.Policy  may be set
---@field shots rushes.Shot[]
---@field refs table<string, rushes.Reference>
local Show = {}

--- Register a character. Waits while the picture is hashed.
---@async
---@param name string
---@param spec rushes.ReferenceSpec
---@return rushes.Reference
function Show:character(name, spec) end

--- Register a style. Waits while the picture is hashed.
---@async
---@param name string
---@param spec rushes.ReferenceSpec
---@return rushes.Reference
function Show:style(name, spec) end

--- Register a place. Waits while the picture is hashed.
---@async
---@param name string
---@param spec rushes.ReferenceSpec
---@return rushes.Reference
function Show:location(name, spec) end

--- Register an object. Waits while the picture is hashed.
---@async
---@param name string
---@param spec rushes.ReferenceSpec
---@return rushes.Reference
function Show:prop(name, spec) end

--- Add a shot. Nothing is sent before it is shot.
---@param spec rushes.ShotSpec
---@return rushes.Shot
function Show:shot(spec) end

--- Shoot every shot once, all at the same time. Waits until each has landed or failed;
--- spends, never beyond the budget. One failure does not stop the rest.
---@async
---@return rushes.Takes
function Show:shoot() end

---@class rushes.ReferenceSpec
---@field image? string     path (looked for beside the script) or https URL
---@field images? string[]  several views
---@field strength? number  0 to 1; sent by the gen4 dialect only
---@field tag? string       3 to 16 letters, digits, `_`; made from the name
---@field notes? string

---@class rushes.Reference
---@field kind "character"|"style"|"location"|"prop"
---@field name string
---@field tag string        `@tag` in a prompt
---@field strength? number
---@field version integer   grows when the same name is registered with other bytes
---@field hash string       SHA-256 of the content
---@field images table[]

---@class rushes.ShotSpec
---@field name string          names the clip; letters, digits, `.`, `_`, `-`
---@field prompt? string
---@field refs? rushes.Reference[]
---@field seconds? number      5
---@field ratio? string        the show's
---@field seed? integer        0 to 4294967295; made from the names if not given
---@field first_frame? string|rushes.Reference  a picture instead of references
---@field last_frame? string|rushes.Reference
---@field policy? rushes.Policy  instead of the show's
---@field priority? number     where calls wait for a free slot, higher goes first; 0

---@class rushes.Shot: rushes.ShotSpec
---@field show rushes.Show
local Shot = {}

--- One more take of this shot. Waits; spends.
---@async
---@return rushes.Take
function Shot:shoot() end

---@class rushes.Take
---@field shot rushes.Shot
---@field number string     "t001"
---@field status "planned"|"running"|"landed"|"failed"|"unknown"|"skipped"|"stopped"
---@field reused? boolean  an earlier run has made it; this one paid nothing for it
---@field state? string     queued throttled running …, while it runs
---@field progress? number  0 to 1
---@field model? string
---@field why? string       the policy's reason
---@field seed integer
---@field credits number    held while it runs, charged in the end
---@field file? string      the clip
---@field still? string     the keyframe, where one was made
---@field id? string        the provider's task id
---@field err? rt.Err
local Take = {}

---@class rushes.Takes
---@field [integer] rushes.Take
local Takes = {}

--- How many have this status.
---@param status "landed"|"failed"|"unknown"|"skipped"|"stopped"
---@return integer
function Takes:count(status) end

--- What all cost together, in credits.
---@return number
function Takes:credits() end

---@class rushes.Template
---@operator call(table<string, string|number>): string

---@alias rushes.Policy fun(shot: rushes.Shot, ctx: rushes.PolicyContext): rushes.Decision|string

---@class rushes.PolicyContext
---@field stage string      "final"
---@field budget {limit?: number, left: number, spent: number, reserved: number}
---@field catalogue table   docs/providers.md

---@class rushes.Decision
---@field model? string     nil leaves the shot out
---@field seconds? number   instead of the shot's own
---@field still? string     the model of the keyframe, where one is needed
---@field why? string       shown and recorded

---@class rushes.PolicyLibrary
local policy = {}

--- Always the same answer.
---@param decision rushes.Decision
---@return rushes.Policy
function policy.fixed(decision) end

--- The first row whose `above` (0 to 1) is less than the part of the budget that is left.
---@param rows {above?: number, model?: string, seconds?: number, still?: string, why?: string}[]
---@return rushes.Policy
function policy.by_budget(rows) end

--- The answer of the first policy that names a model.
---@param policies rushes.Policy[]
---@return rushes.Policy
function policy.first_of(policies) end

---@class rushes.Provider
---@field name string
local Provider = {}

--- Check, price and send one generation. Waits until the provider has taken it; spends.
---@async
---@param spec table  {model, prompt, seconds, ratio?, …}: docs/providers.md
---@return rushes.Job?
---@return rt.Err?    `unknown = true` when it may have been taken all the same
function Provider:generate(spec) end

---@class rushes.Job
---@field id? string
---@field model string
---@field state string      planned queued throttled running succeeded failed cancelled
---@field progress number   0 to 1
---@field credits number    held while it runs, charged in the end
---@field outputs? table[]
---@field err? rt.Err
local Job = {}

--- Follow it to its end. Waits; spends nothing; passing the deadline cancels nothing.
---@async
---@param opts? {every?: number, first?: number, deadline?: number, on_progress?: fun(p: number, job: rushes.Job)}  seconds
---@return rushes.Job?
---@return rt.Err?
function Job:poll(opts) end

--- Download its output: the whole file or none. Waits; spends nothing.
---@async
---@param path string
---@param opts? {max_bytes?: integer, sha256?: boolean, on_progress?: fun(bytes: integer)}
---@return string? path
---@return table|rt.Err  {path, bytes, sha256, type}, or the error
function Job:download(path, opts) end

--- Ask the provider to cancel, unless it has ended. Waits; may be charged all the same.
---@async
---@return true?
---@return rt.Err?
function Job:cancel() end

return rushes
