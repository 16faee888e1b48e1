# Videos of people in, simulation-ready humanoid data sets out. `make help` lists targets and
# variables; what they do is in driver/, which reads the variables from its environment.

PYTHON ?= python3
VENV ?= .venv
# Settings of a site, such as a cluster's partition and folders; not tracked.
SITE ?= site.mk
-include $(value SITE)
BIN := $(value VENV)/bin

# What was typed is what the driver gets: a dollar sign in it would else be make's to expand.
$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),\
    $(eval override $(name) := $$(value $(name)))))
export

# What was typed is in the environment, never in the text that a shell reads.
# A + runs the driver under make -n too: it shows the commands that it would run.
DRIVER = +@"$$PYTHON" -m driver

.PHONY: help doctor setup weights weights-check images sif dataset status evaluate viewer report export retarget \
    test lint bench bench-stage0 bench-worlds bench-solve bench-viewer bench-verdicts robustness \
    warm-cache anew
.NOTPARALLEL:

help: ## This list
	@"$$PYTHON" -m driver help

doctor: ## Whether this machine has what RUNNER and DEVICE need, and what to do if not
	@"$$PYTHON" -m driver doctor

setup: ## Make the virtual environment, where it is missing or outdated
	$(DRIVER) setup

weights: ## Fetch official checkpoints: sizes and licences are shown; or read BUNDLE in
	$(DRIVER) weights

weights-check: ## Whether the checkpoints that are here are whole
	$(DRIVER) weights --check

images: ## Build the images of all stages, report and viewer, or of STAGES; DEVICE=gpu for CUDA
	$(DRIVER) images

sif: ## Make .sif files of the images in SIF, for RUNNER=apptainer or slurm
	$(DRIVER) sif

dataset: ## Videos in DATA/videos to robot motions, all stages, videos matching PATTERN
	$(DRIVER) dataset

stage%: export GOAL = $@
stage%: anew
	$(DRIVER) stage "$$GOAL"

status: ## What of DATA is done, running, waiting or failed, and why
	@"$$PYTHON" -m driver status

evaluate: ## Compare DATA with its ground truth; SEEDS=1,2 renders and processes scenes first
	$(DRIVER) evaluate

report: ## Pages to look at DATA with, in report/ of it; RUNNER=docker: in its image
	$(DRIVER) report

export: ## Write the motions of DATA as the trainers in FORMAT read them, of ROBOT=29, 23 or unitree23
	$(DRIVER) export

retarget: ## Make motions of other people the robot's: MOTIONS=walk.npz FORMAT=smpl MESH=place.obj DATA=folder
	$(DRIVER) retarget

viewer: ## Look at the results of DATA in the browser and choose what to keep; more flags in ARGS
	$(DRIVER) viewer

bench: ## Time and memory of the whole chain on the demo, cold and warm
	$(DRIVER) venv python -m bench.chain

bench-stage0: ## Frames a second of the networks of stage 0 at their official sizes
	$(DRIVER) venv python -m bench.stage0

bench-worlds: ## Speed and memory of MegaSaM at its official size, on 300 frames
	$(DRIVER) venv python -m bench.worlds.speed

bench-solve: ## Time of the solvers of stages 2 and 4 alone, on this machine's device
	$(DRIVER) venv python -m bench.solve

bench-viewer: ## Speeds of the viewer and the report on the demo and on a long clip, and sizes
	$(DRIVER) venv python -m bench.viewer

bench-verdicts: ## How many errors put into the good clips of DATA, or of SEEDS, the verdicts find
	$(DRIVER) evaluate python -m bench.verdicts

robustness: ## What stages 2 and 4 make of bad input: the tables of docs/robustness.md
	$(DRIVER) venv python -m bench.robustness

warm-cache: ## Compile the solvers of stages 2 and 4 for the usual lengths ahead of use
	$(DRIVER) venv python -m bench.warm_cache

test: ## All tests that run on this machine
	$(DRIVER) venv pytest

lint: ## ruff, mypy and import-linter
	$(DRIVER) venv ruff check .
	$(DRIVER) venv ruff format --check .
	$(DRIVER) venv mypy
	$(DRIVER) venv lint-imports
