# Everything a person needs: `make demo` and `make test`. Each sets up .venv by itself.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench bench-revalidate bench-detection bench-calibration bench-faces bench-callers bench-ingest bench-imports faults fuzz-http soak bench-log bench-review bench-schedule docs screenshots sample-media lock clean

help:  ## 列出命令 / List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements-build.lock requirements-dev.lock pyproject.toml
	@echo "正在准备 $(VENV) / setting up $(VENV) (once)"
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "需要 Python 3.11–3.13 / Python 3.11 to 3.13 is needed, this is %d.%d: make PYTHON=python3.11 …" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements-build.lock
	@$(PIP) --require-hashes --no-build-isolation -r requirements-dev.lock
	@$(PIP) --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## 演示:从遥测到考核名单 / From telemetry to the assessment's roster
	@$(BIN)/online-guard demo --out demo-out $(ARGS)

test: $(READY) lint  ## 代码检查与全部测试 / Lint, types, layers and all tests
	@$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(READY)  ## 代码检查、类型、分层 / Lint, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > $(VENV)/layers.log 2>&1 || { cat $(VENV)/layers.log; exit 1; }

bench: bench-revalidate bench-detection bench-calibration bench-faces bench-callers bench-ingest bench-imports bench-log bench-review bench-console bench-schedule  ## 全部测量 / All measurements (about 40 min)

bench-revalidate: $(READY)  ## 与对照同场测速 / Measure against DuckDB and Polars in the same run
	@$(BIN)/python benchmarks/revalidate.py $(ARGS)

bench-detection: $(READY)  ## 查出率与误报率 / What is caught, and whom it hurts
	@$(BIN)/python benchmarks/detection.py $(ARGS)

bench-calibration: $(READY)  ## 校准:实测定时器与反应时间 / Limits against measured timers
	@$(BIN)/python benchmarks/calibration.py $(ARGS)

bench-faces: $(READY)  ## 人脸:速度、重复、活体、被动检测 / Faces: speed, reuse, liveness, passive check
	@$(BIN)/python benchmarks/faces.py $(ARGS)

bench-callers: $(READY)  ## 一次签名请求的代价 / What a signed request costs
	@$(BIN)/python benchmarks/signatures.py $(ARGS)

bench-ingest: $(READY)  ## 收事件:持久、签名,与不存、与寻常写法同场 / Intake: durable and signed, beside no storage and the plain way
	@$(BIN)/python benchmarks/ingest.py $(ARGS)
	@$(BIN)/python benchmarks/verification.py

bench-imports: $(READY)  ## 一年的导入测速 / A year's bundle imported
	@$(BIN)/python benchmarks/imports.py $(ARGS)

faults: $(READY)  ## 断电、强杀、数据库崩溃、错误数据 / Power cuts, kills, crashes, faulty items (about 15 min)
	@$(BIN)/python benchmarks/faults.py $(ARGS)

fuzz-http: $(READY)  ## 按接口文档向真实服务发送 2 万个以上请求 / 20 000 requests and more, by the OpenAPI document
	@$(BIN)/python benchmarks/http_fuzz.py --examples 600 $(ARGS)

soak: $(READY)  ## 10 分钟持续负载:内存、延迟、计数 / 10 minutes of load: memory, latency, counts
	@$(BIN)/python benchmarks/soak.py $(ARGS)

bench-log: $(READY)  ## 存证日志:百万条的代价,每类篡改一千次 / The evidence log: a million entries, 1 000 changes of each kind
	@$(BIN)/python benchmarks/evidence_log.py $(ARGS)
	@ONLINE_GUARD_MUTATIONS=1000 $(BIN)/python -m pytest -n auto -k "change_of or old_backup" tests/service/test_evidence_log.py

.PHONY: bench-papers
bench: bench-papers
bench-papers: $(READY)  ## 八千考生的全部打印件 / All papers of 8 000 candidates
	@$(BIN)/python benchmarks/papers.py $(ARGS)

bench-console: $(READY)  ## 审核:十万案件中领取并打开下一案件的用时 / The next case among 100 000
	@$(BIN)/python benchmarks/console.py $(ARGS)
	@ONLINE_GUARD_KEYBOARD_LEARNERS=20 $(BIN)/python -m pytest -n 0 -k three_keys tests/review/test_deciding.py

bench-review: $(READY)  ## 一万个随机序列:未经人认定不得拒认 / Random sequences: nobody is refused without persons
	@$(BIN)/python benchmarks/review.py $(ARGS)

bench-schedule: $(READY)  ## 排考:8 000 人一个月,与手工排法同场 / A county's month planned, beside a clerk's way
	@$(BIN)/python benchmarks/schedule.py $(ARGS)

docs: $(READY)  ## 重新生成规则与政策文档 / Generate the pages of rules and policy
	@$(BIN)/python scripts/make_docs.py

screenshots: $(READY)  ## 审核页面截图:明暗、宽窄、中英 / Pictures of the auditors' pages, into screenshots/
	@$(BIN)/python scripts/make_screenshots.py $(ARGS)

sample-media: $(READY)  ## 重新生成样例照片 / Make the sample pictures again
	@$(BIN)/python scripts/make_sample_media.py

lock:  ## 重新锁定依赖(需要 uv) / Pin the dependencies again (needs uv)
	uv pip compile requirements-build.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements-build.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --extra dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements-dev.lock

clean:  ## 删除 .venv 与演示结果 / Remove .venv and the demo's results
	rm -rf $(VENV) demo-out build
