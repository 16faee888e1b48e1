# Videos of people in, simulation-ready humanoid data sets out. `make help` lists the targets.

# Settings of a site, such as a cluster's partition and folders; not tracked.
SITE ?= site.mk
-include $(SITE)

DATA ?= data/demo
PATTERN ?=
WORLD ?= sfm
START_IDX ?= 0
END_IDX ?= -1
MULTIHUMAN ?=
TOP_K ?= 0
HEIGHT ?=
ARGS ?=
SEEDS ?=
PYTHON ?= python3
# Images for the processor (cpu) or for CUDA (gpu); a login node does not know the GPUs of others.
DEVICE ?= $(if $(filter slurm,$(RUNNER))$(wildcard /dev/nvidiactl),gpu,cpu)
RUN_AS ?= $$(id -u):$$(id -g)
# What runs stages: local (.venv), docker, apptainer (or Singularity, where that is what is
# installed) or slurm (with one of those two).
ifndef RUNNER
RUNNER := $(if $(shell docker images -q mimicmill/stage4-retarget:$(DEVICE) 2>/dev/null),docker,local)
endif
# Of Slurm: tasks a stage, what every task asks for, and what those with a GPU do.
SHARDS ?= 8
SBATCH_ARGS ?=
SBATCH_GPU_ARGS ?= $(if $(filter gpu,$(DEVICE)),--gres=gpu:1)

# Images for Apptainer lie here, and what containers compile and keep.
SIF ?= sif
CACHE ?= $(or $(MIMICMILL_CACHE),$(HOME)/.cache/mimicmill)

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

STAGE0 := stage0-frames stage0-sam2 stage0-vitpose stage0-vimo stage0-bstro
CHAIN := $(STAGE0) stage1-$(WORLD) stage2-megahunter stage3-postprocess stage4-retarget
COMMANDS := $(STAGE0) stage1-sfm stage2-megahunter stage3-postprocess stage4-retarget
WITHOUT_GPU := stage0-frames

SELECT = --pattern '$(PATTERN)' --start-idx $(START_IDX) --end-idx $(END_IDX)
PEOPLE = $(if $(MULTIHUMAN),--multihuman --top-k $(TOP_K))
FLAGS_stage0-vitpose = $(PEOPLE)
FLAGS_stage0-vimo = $(PEOPLE)
FLAGS_stage0-bstro = $(PEOPLE)
FLAGS_stage1-$(WORLD) = --gsam2
FLAGS_stage2-megahunter = $(if $(HEIGHT),--height $(HEIGHT)) --world-reconstruction-base-dir '$(SEEN)/input_$(WORLD)' $(PEOPLE)
FLAGS_stage3-postprocess = $(if $(MULTIHUMAN),--multihuman)
FLAGS_stage4-retarget = $(PEOPLE)

# The data folder as stages see it, and how a stage is started.
SEEN = $(if $(filter local,$(RUNNER)),$(DATA),/data)
COMPOSE = env MIMICMILL_DATA='$(abspath $(DATA))' MIMICMILL_USER=$(RUN_AS) \
    docker compose -f compose.yaml $(if $(filter gpu,$(DEVICE)),-f compose.gpu.yaml)
APPTAINER ?= $(firstword $(notdir $(shell command -v apptainer singularity)) apptainer)
start_local = $(BIN)/$(1)
start_docker = $(COMPOSE) run --rm $(1)
start_apptainer = $(APPTAINER) run --cleanenv --no-home --pwd /data $(if $(filter gpu,$(DEVICE)),--nv) \
    --bind '$(abspath $(DATA))':/data --bind '$(abspath $(CACHE))':/cache \
    $(if $(MIMICMILL_WORKERS),--env MIMICMILL_WORKERS=$(MIMICMILL_WORKERS)) \
    $(if $(MIMICMILL_WEIGHTS),--bind '$(abspath $(MIMICMILL_WEIGHTS))':/weights:ro) '$(abspath $(SIF))/$(1)-$(DEVICE).sif'
command = $(call start_$(RUNNER),$(1)) $(SELECT) $(FLAGS_$(1)) $(ARGS)
quoted = '$(subst ','\'',$(1))'
run = images/run.sh $(1) $(call command,$(1))
submit = $(PYTHON) -m cluster.submit --data '$(DATA)' --shards $(SHARDS) --select $(call quoted,$(SELECT)) \
    $(foreach stage,$(1),--stage $(stage) \
    $(call quoted,$(if $(filter $(WITHOUT_GPU),$(stage)),,$(SBATCH_GPU_ARGS)) $(SBATCH_ARGS)) \
    $(call quoted,$(call start_apptainer,$(stage)) $(FLAGS_$(stage)) $(ARGS)))
# What must be there before: the virtual environment, or engine and images.
needs_local = $(READY)
needs_docker = engine
needs_apptainer = sifs
needs_slurm = sifs
NEEDS = $(or $(needs_$(RUNNER)),$(error RUNNER=$(RUNNER) is none of: local docker apptainer slurm))

export MIMICMILL_DATA = $(DATA)
export SAM2_BUILD_CUDA = 0

.PHONY: help doctor setup images engine sif sif-images sifs dataset status $(COMMANDS) evaluate test lint bench bench-solve robustness warm-cache
.DEFAULT_GOAL := help
.SECONDEXPANSION:

help: ## This list
	@echo "make TARGET [VARIABLE=value ...]"
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
	    awk -F '\t' '{ printf "  %-12s %s\n", $$1, $$2 }'
	@echo "Stages, one at a time: $(COMMANDS)"
	@echo "Variables: DATA=$(DATA) PATTERN= WORLD=$(WORLD) START_IDX=0 END_IDX=-1"
	@echo "           MULTIHUMAN=1 TOP_K=0 HEIGHT=1.80 (of the person, m) SEEDS= (evaluate)"
	@echo "           ARGS= (flags for one stage) RUNNER=$(RUNNER) (local, docker, apptainer or slurm)"
	@echo "           DEVICE=$(DEVICE) (cpu or gpu: which images) SIF=$(SIF) (folder of .sif files)"
	@echo "           SHARDS=$(SHARDS) SBATCH_ARGS= (slurm) SITE=$(SITE) (settings that stay)"

doctor: ## Whether this machine has what RUNNER and DEVICE need, and what to do if not
	@$(PYTHON) -m doctor --runner $(RUNNER) --device $(DEVICE) --data '$(DATA)' --cache '$(CACHE)' \
	    --venv $(VENV) --sif '$(SIF)' --apptainer $(APPTAINER) $(CHAIN)

setup: $(READY) ## Make the virtual environment .venv with everything in it

$(READY): pyproject.toml requirements/constraints.txt requirements/sam2.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c requirements/constraints.txt -e '.[test,lint]'
	$(BIN)/pip install -q --no-deps --no-build-isolation --require-hashes -r requirements/sam2.txt
	@touch $@

images: ## Build the images of all stages; DEVICE=gpu for CUDA, STAGES="stage2-megahunter" for some
	@images/ready.sh
	MIMICMILL_COMMIT=$$(git rev-parse --short HEAD 2>/dev/null) MIMICMILL_VERSION=$(VERSION) \
	    $(COMPOSE) build $(STAGES)

engine:
	@images/ready.sh $(DEVICE) $(or $(filter $(COMMANDS),$(MAKECMDGOALS)),$(CHAIN))

sif: $(patsubst %,$(SIF)/%-$(DEVICE).sif,$(or $(STAGES),$(COMMANDS))) ## Make .sif files in SIF/ of the images, for RUNNER=apptainer or slurm; STAGES= for some

$(SIF)/%-$(DEVICE).sif: sif-images
	@images/sif.sh $(APPTAINER) mimicmill/$*:$(DEVICE) '$@'

sif-images:
	@images/ready.sh $(DEVICE) $(or $(STAGES),$(COMMANDS))

sifs:
	@images/ready-sif.sh $(APPTAINER) '$(DATA)' '$(CACHE)' \
	    $(patsubst %,$(SIF)/%-$(DEVICE).sif,$(or $(filter $(COMMANDS),$(MAKECMDGOALS)),$(CHAIN)))

dataset: $$(NEEDS) ## Videos in DATA/videos to robot motions, all stages, videos matching PATTERN
ifeq ($(RUNNER),slurm)
	@$(call submit,$(CHAIN))
else
	@echo "RUNNER=$(RUNNER)"; failed=0; \
	$(foreach stage,$(CHAIN),$(call run,$(stage)); code=$$?; \
	    if [ $$code -gt 1 ]; then exit $$code; fi; [ $$code -eq 0 ] || failed=1;) \
	exit $$failed
endif

$(COMMANDS): $$(NEEDS)
	@$(if $(filter slurm,$(RUNNER)),$(call submit,$@),$(call run,$@))

status: ## What of DATA is done, running, waiting or failed, and why
	@$(PYTHON) -m cluster.status --data '$(DATA)' $(CHAIN)

evaluate: $(READY) ## Compare DATA with its ground truth; SEEDS=1,2 renders scenes first
	$(BIN)/python -m tools.evaluation $(if $(SEEDS),--seeds $(SEEDS)) --data-dir '$(DATA)' $(ARGS)

bench: $(READY) ## Time and memory of the whole chain on the demo, cold and warm
	$(BIN)/python -m tools.bench $(ARGS)

bench-solve: $(READY) ## Time of the solvers of stages 2 and 4 alone, on this machine's device
	$(BIN)/python -m tools.bench_solve $(ARGS)

robustness: $(READY) ## What stages 2 and 4 make of bad input: the tables of docs/robustness.md
	$(BIN)/python -m tools.robustness $(ARGS)

warm-cache: $(READY) ## Compile the solvers of stages 2 and 4 for the usual lengths ahead of use
	$(BIN)/python -m tools.warm_cache $(ARGS)

test: $(READY) ## All tests that run on this machine
	$(BIN)/pytest $(ARGS)

lint: $(READY) ## ruff, mypy and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
