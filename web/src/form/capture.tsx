import { useEffect, useRef, useState } from "preact/hooks";

/** Only a secure page may use camera and microphone. */
export const canCapture = (): boolean => navigator.mediaDevices !== undefined;

function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

const refusal = (what: string, error: unknown) =>
  `The ${what} cannot be used: ${error instanceof Error ? error.message : String(error)}`;

interface Props {
  onFile: (file: File) => void;
  onClose: () => void;
}

/** A picture of the camera, in a dialog. */
export function Camera({ onFile, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [error, setError] = useState<string | null>(null);
  const [isReady, setReady] = useState(false);

  useEffect(() => {
    dialog.current?.showModal();
    let stream: MediaStream | null = null;
    let isOpen = true;
    navigator.mediaDevices.getUserMedia({ video: true }).then(
      (granted) => {
        stream = granted;
        if (!isOpen || video.current === null) return stop(granted);
        video.current.srcObject = granted;
      },
      (thrown) => setError(refusal("camera", thrown)),
    );
    return () => {
      isOpen = false;
      stop(stream);
    };
  }, []);

  const take = () => {
    const shown = video.current;
    if (shown === null) return;
    const canvas = document.createElement("canvas");
    canvas.width = shown.videoWidth;
    canvas.height = shown.videoHeight;
    canvas.getContext("2d")?.drawImage(shown, 0, 0);
    canvas.toBlob((blob) => {
      if (blob !== null) onFile(new File([blob], "photo.png", { type: "image/png" }));
      onClose();
    }, "image/png");
  };

  return (
    <dialog ref={dialog} class="capture" aria-label="Camera" onClose={onClose}>
      {error !== null ? (
        <p role="alert" class="error-text">{error}</p>
      ) : (
        <video ref={video} autoplay playsInline muted onLoadedData={() => setReady(true)} />
      )}
      <div class="row">
        <button type="button" class="button button-primary" disabled={!isReady} onClick={take}>
          Take the photo
        </button>
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
    </dialog>
  );
}

/** A recording of the microphone, from the click until it is stopped. */
export function Microphone({ onFile, onClose }: Props) {
  const recorder = useRef<MediaRecorder | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [seconds, setSeconds] = useState(0);

  useEffect(() => {
    let stream: MediaStream | null = null;
    let isOpen = true;
    navigator.mediaDevices.getUserMedia({ audio: true }).then(
      (granted) => {
        stream = granted;
        if (!isOpen) return stop(granted);
        const started = new MediaRecorder(granted);
        const pieces: Blob[] = [];
        started.ondataavailable = (event) => pieces.push(event.data);
        started.onstop = () => {
          const type = started.mimeType.split(";")[0] || "audio/webm";
          const extension = type.split("/")[1] ?? "webm";
          if (isOpen) onFile(new File(pieces, `recording.${extension}`, { type }));
          onClose();
        };
        started.start();
        recorder.current = started;
      },
      (thrown) => setError(refusal("microphone", thrown)),
    );
    const timer = window.setInterval(() => setSeconds((n) => n + 1), 1000);
    return () => {
      isOpen = false;
      window.clearInterval(timer);
      stop(stream);
    };
  }, []);

  if (error !== null) {
    return (
      <span class="row">
        <span role="alert" class="error-text">{error}</span>
        <button type="button" class="button button-small" onClick={onClose}>Close</button>
      </span>
    );
  }
  return (
    <span class="row">
      <button type="button" class="button button-small button-danger" autoFocus onClick={() => recorder.current?.stop()}>
        Stop recording
      </button>
      <span class="small muted" role="timer">{seconds} s</span>
      <button type="button" class="button button-small button-plain" onClick={onClose}>Discard</button>
    </span>
  );
}
