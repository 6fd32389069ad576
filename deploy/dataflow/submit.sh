#!/bin/sh
# Runs a job on Dataflow and waits for its end, with inkbeam's exit codes:
#   PROJECT=… REGION=… BUCKET=… IMAGE=… SERVICE_ACCOUNT=… deploy/dataflow/submit.sh --input gs://… --output gs://…
# GPU=t4, GPU=l4 or GPU=none (the default) chooses what pages are read on. Options of inkbeam and of Beam that are
# given win over those below. DRY_RUN=1 prints the command instead.
set -eu
: "${PROJECT:?}" "${REGION:?}" "${BUCKET:?a bucket, without gs://}" "${IMAGE:?}" "${SERVICE_ACCOUNT:?}"

case "${GPU:-none}" in
none) set -- --worker_machine_type="${MACHINE:-n2-standard-4}" "$@" ;;
t4)
    set -- --worker_machine_type="${MACHINE:-n1-standard-4}" \
        --accelerator="type:nvidia-tesla-t4;count:1;install-nvidia-driver" "$@"
    ;;
l4)
    # L4 cards come with machines of the G2 family only; the other steps keep the plain machines.
    set -- --worker_machine_type="${MACHINE:-n2-standard-4}" \
        --accelerator="type:nvidia-l4;count:1;machine_type:g2-standard-4;install-nvidia-driver" "$@"
    ;;
*)
    echo "GPU=$GPU: one of none, t4, l4" >&2
    exit 2
    ;;
esac

set -- inkbeam digitize \
    --runner=DataflowRunner \
    --project="$PROJECT" \
    --region="$REGION" \
    --temp_location="gs://$BUCKET/dataflow/tmp" \
    --staging_location="gs://$BUCKET/dataflow/staging" \
    --service_account_email="$SERVICE_ACCOUNT" \
    --sdk_container_image="$IMAGE" \
    --sdk_location=container \
    --autoscaling_algorithm=THROUGHPUT_BASED \
    --max_num_workers="${MAX_WORKERS:-10}" \
    --disk_size_gb="${DISK_GB:-50}" \
    --no_save_main_session \
    "$@"
if [ -n "${DRY_RUN:-}" ]; then
    printf '%s\n' "$@"
else
    exec "$@"
fi
