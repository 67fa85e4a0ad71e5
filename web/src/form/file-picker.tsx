import { useContext, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { Camera, canCapture, Microphone } from "./capture.tsx";
import { FormBusy } from "./busy.ts";
import { filesOfTransfer, upload } from "./upload.ts";

interface Props {
  id: string;
  name: string;
  describedBy: string | undefined;
  isInvalid: boolean;
  isMultiple: boolean;
  /** URLs of files that were uploaded, or one that was typed. */
  onUrls: (urls: string[]) => void;
  /** Told of each change of the text; without it the text is given when it is left. */
  onText?: (text: string) => void;
}

/** The ways to a file: choose, drop, paste, a URL, the camera, the microphone. */
export function FilePicker({ id, name, describedBy, isInvalid, isMultiple, onUrls, onText }: Props) {
  const chooser = useRef<HTMLInputElement>(null);
  const reportBusy = useContext(FormBusy);
  // An upload ends after later changes, which it must not undo.
  const give = useRef(onUrls);
  give.current = onUrls;
  const [text, setText] = useState("");
  const [pending, setPending] = useState<File[]>([]);
  const [error, setError] = useState<string | null>(null);
  const [isOver, setOver] = useState(false);
  const [capture, setCapture] = useState<"camera" | "microphone" | null>(null);

  const take = async (files: File[]) => {
    const wanted = isMultiple ? files : files.slice(0, 1);
    if (wanted.length === 0) return;
    setError(null);
    setPending((before) => [...before, ...wanted]);
    reportBusy(1);
    try {
      const urls = await Promise.all(wanted.map(upload));
      give.current(urls);
    } catch (thrown) {
      setError(thrown instanceof ApiError ? thrown.message : String(thrown));
    } finally {
      reportBusy(-1);
      setPending((before) => before.filter((file) => !wanted.includes(file)));
    }
  };
  const takeText = () => {
    if (text.trim() === "") return;
    onUrls([text.trim()]);
    setText("");
  };

  return (
    <div
      class={isOver ? "file-picker file-picker-over" : "file-picker"}
      data-field={name}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(filesOfTransfer(event.dataTransfer));
      }}
      onPaste={(event) => {
        const files = filesOfTransfer(event.clipboardData);
        if (files.length === 0) return;
        event.preventDefault();
        void take(files);
      }}
    >
      <input
        id={id}
        type="url"
        inputMode="url"
        autoComplete="off"
        placeholder={isMultiple ? "Drop or paste files, or type a URL" : "Drop or paste a file, or type a URL"}
        value={text}
        aria-describedby={describedBy}
        aria-invalid={isInvalid}
        onInput={(event) => {
          setText(event.currentTarget.value);
          onText?.(event.currentTarget.value.trim());
        }}
        onBlur={onText === undefined ? takeText : undefined}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.metaKey || event.ctrlKey) return;
          event.preventDefault();
          takeText();
        }}
      />
      <div class="row file-picker-ways">
        <button type="button" class="button button-small" onClick={() => chooser.current?.click()}>
          Choose {isMultiple ? "files" : "a file"}
        </button>
        <input
          ref={chooser}
          type="file"
          hidden
          multiple={isMultiple}
          aria-label={`File of ${name}`}
          onChange={(event) => {
            void take([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
        {canCapture() && capture !== "microphone" && (
          <>
            <button type="button" class="button button-small" onClick={() => setCapture("camera")}>Take a photo</button>
            <button type="button" class="button button-small" onClick={() => setCapture("microphone")}>Record sound</button>
          </>
        )}
        {capture === "microphone" && <Microphone onFile={(file) => void take([file])} onClose={() => setCapture(null)} />}
      </div>
      {capture === "camera" && <Camera onFile={(file) => void take([file])} onClose={() => setCapture(null)} />}
      {pending.length > 0 && <p class="small muted" role="status">Uploading {pending.map((file) => file.name).join(", ")} …</p>}
      {error !== null && <p class="error-text small" role="alert">{error}</p>}
    </div>
  );
}
