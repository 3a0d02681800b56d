/** Reads a QR code with the camera, where the browser can (Chromium on Android does; elsewhere text is pasted). */

interface Detector { detect: (from: HTMLVideoElement) => Promise<{ rawValue: string }[]> }
type Maker = new (how: { formats: string[] }) => Detector;

/** Pause between two looks. */
const LOOK_MS = 200;

const maker = () => (globalThis as { BarcodeDetector?: Maker }).BarcodeDetector;

export const canScan = (): boolean => maker() !== undefined && navigator.mediaDevices !== undefined;

/** The text of the first code that is seen; empty when `isWanted` ends it. Throws when there is no camera. */
export async function scan(video: () => HTMLVideoElement | undefined, isWanted: () => boolean): Promise<string> {
  const Made = maker();
  if (!Made) throw new Error('no detector');
  const detector = new Made({ formats: ['qr_code'] });
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  try {
    while (isWanted()) {
      const screen = video();
      if (screen && screen.srcObject !== stream) screen.srcObject = stream;
      const found = screen && screen.readyState >= 2 ? await detector.detect(screen) : [];
      if (found[0]) return found[0].rawValue;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
    return '';
  } finally {
    stream.getTracks().forEach((track) => track.stop());
  }
}
